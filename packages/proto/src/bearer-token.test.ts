import { describe, expect, it } from "vitest";
import { findBearerToken } from "./bearer-token.ts";

describe("findBearerToken", () => {
  it.each(["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c  "])(
    "given the header %j, when the token is looked for, then it is found there",
    (header) => {
      expect(findBearerToken(header)).toEqual({ kind: "found", token: "a.b.c", source: "header" });
    },
  );

  it("given a token beside a subprotocol, when it is looked for, then it is found there", () => {
    expect(findBearerToken(undefined, ["pm.v1.proto", "pm.v1.bearer.a.b.c"])).toEqual({
      kind: "found",
      token: "a.b.c",
      source: "subprotocol",
    });
  });

  it("given the same token in both places, when it is looked for, then the header is its source", () => {
    expect(findBearerToken("Bearer a.b.c", ["pm.v1.bearer.a.b.c"])).toEqual({
      kind: "found",
      token: "a.b.c",
      source: "header",
    });
  });

  it.each([
    ["a header and an entry", "Bearer a.b.c", ["pm.v1.bearer.x.y.z"]],
    ["two entries", undefined, ["pm.v1.bearer.a.b.c", "pm.v1.bearer.x.y.z"]],
  ])("given different tokens in %s, when one is looked for, then it is ambiguous", (_, header, offered) => {
    expect(findBearerToken(header, offered)).toEqual({ kind: "ambiguous" });
  });

  it.each(["", "Basic YTpi", "Bearer", "Bearer ", "Bearera.b.c", "Bearer a b", "Bearer a,Bearer b", "a.b.c"])(
    "given the header %j, when the token is looked for, then the scheme is wrong, whatever is offered beside it",
    (header) => {
      expect(findBearerToken(header, ["pm.v1.bearer.a.b.c"])).toEqual({ kind: "bad-scheme" });
    },
  );

  it("given neither, when the token is looked for, then there is none", () => {
    expect(findBearerToken(undefined)).toEqual({ kind: "none" });
    expect(findBearerToken(undefined, ["pm.v1.json", "PM.V1.BEARER.a.b.c"])).toEqual({ kind: "none" });
  });
});
