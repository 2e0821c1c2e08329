import { describe, expect, it } from "vitest";
import { extractToken, type TokenHeaders } from "./token-extraction.ts";

describe("extractToken", () => {
  it.each<[TokenHeaders, string, string]>([
    [{ authorization: "Bearer a.b.c" }, "a.b.c", "header"],
    [{ authorization: "bearer   a.b.c" }, "a.b.c", "header"],
    [{ authorization: ["BEARER a.b.c"] }, "a.b.c", "header"],
    [{ subprotocols: "pm.v1.proto, pm.v1.bearer.a.b.c" }, "a.b.c", "subprotocol"],
    [{ subprotocols: "pm.v1.bearer.a.b.c,pm.v1.json" }, "a.b.c", "subprotocol"],
    [{ subprotocols: ["pm.v1.json", "pm.v1.bearer.a.b.c"] }, "a.b.c", "subprotocol"],
    [{ authorization: "Bearer a.b.c", subprotocols: "pm.v1.bearer.a.b.c" }, "a.b.c", "header"],
    [{ subprotocols: "pm.v1.bearer.a.b.c, pm.v1.bearer.a.b.c" }, "a.b.c", "subprotocol"],
  ])("given %j, when the token is looked for, then it is %s of the %s", (headers, token, source) => {
    expect(extractToken(headers)).toEqual({ token, source });
  });

  it.each<[TokenHeaders, string]>([
    [{}, "MISSING_AUTH_HEADER"],
    [{ authorization: [] }, "MISSING_AUTH_HEADER"],
    [{ subprotocols: "" }, "MISSING_AUTH_HEADER"],
    [{ subprotocols: "pm.v1.proto, pm.v1.json" }, "MISSING_AUTH_HEADER"],
    [{ subprotocols: "PM.V1.BEARER.a.b.c" }, "MISSING_AUTH_HEADER"],
    [{ authorization: "" }, "INVALID_AUTH_SCHEME"],
    [{ authorization: "Bearer" }, "INVALID_AUTH_SCHEME"],
    [{ authorization: "Bearer " }, "INVALID_AUTH_SCHEME"],
    [{ authorization: "Basic YWRhOmFkYQ==" }, "INVALID_AUTH_SCHEME"],
    [{ authorization: "a.b.c" }, "INVALID_AUTH_SCHEME"],
    [{ authorization: "Bearera.b.c" }, "INVALID_AUTH_SCHEME"],
    [{ authorization: "Bearer a.b.c d" }, "INVALID_AUTH_SCHEME"],
    [{ authorization: "Bearer a.b.c, Bearer d.e.f" }, "INVALID_AUTH_SCHEME"],
    [{ authorization: ["Bearer a.b.c", "Bearer a.b.c"] }, "INVALID_TOKEN"],
    [{ authorization: "Bearer a.b.c", subprotocols: "pm.v1.bearer.d.e.f" }, "INVALID_TOKEN"],
    [{ subprotocols: "pm.v1.bearer.a.b.c, pm.v1.bearer.d.e.f" }, "INVALID_TOKEN"],
  ])("given %j, when the token is looked for, then it is %s", (headers, code) => {
    expect(() => extractToken(headers)).toThrow(expect.objectContaining({ code }));
  });

  it("given a header of many spaces, when the token is looked for, then that takes no time", () => {
    expect(() => extractToken({ authorization: `Bearer ${" ".repeat(16_000)}a b` })).toThrow();
  });
});
