import { describe, expect, it } from "vitest";
import { OpsGuard } from "./ops-guard.ts";

const LOOPBACK = { host: "127.0.0.1", port: 3001 };
const EVERYWHERE = { host: "0.0.0.0", port: 3001 };

describe("OpsGuard", () => {
  it("given no key, when anything is asked, then it may pass", () => {
    const guard = new OpsGuard({ key: undefined, boundTo: LOOPBACK });
    expect(guard.refuseKey({})).toBeUndefined();
    expect(guard.refuseKey({ authorization: "Basic x" })).toBeUndefined();
  });

  it.each([
    [undefined, "MISSING_AUTH_HEADER"],
    ["", "INVALID_AUTH_SCHEME"],
    ["Bearer", "INVALID_AUTH_SCHEME"],
    ["Basic secret-key", "INVALID_AUTH_SCHEME"],
    ["Bearer secret-ke", "INVALID_KEY"],
    ["Bearer secret-keyy", "INVALID_KEY"],
    ["Bearer SECRET-KEY", "INVALID_KEY"],
    ["Bearer secret-key", undefined],
    ["Bearer secret-key and more", "INVALID_AUTH_SCHEME"],
    ["bearer   secret-key  ", undefined],
  ])("given a key, when the header is %j, then the refusal is %s", (authorization, code) => {
    const refusal = new OpsGuard({ key: "secret-key", boundTo: EVERYWHERE }).refuseKey({ authorization });
    expect(refusal?.code).toBe(code);
    expect(refusal?.status).toBe(code === undefined ? undefined : 401);
  });

  it.each([
    [LOOPBACK, "localhost:3001", undefined],
    [LOOPBACK, "pm.example.com", 403],
    [LOOPBACK, undefined, 403],
    [{ host: "localhost", port: 1 }, "127.0.0.1", undefined],
    [EVERYWHERE, "pm.example.com", undefined],
    [{ host: "10.0.0.1", port: 1 }, "pm.example.com", undefined],
  ])("given a listener on %j, when the Host header is %j, then the refusal is %s", (boundTo, host, status) => {
    expect(new OpsGuard({ key: "k", boundTo }).refuseHost({ host })?.status).toBe(status);
  });
});
