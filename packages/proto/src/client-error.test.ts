import { CodedError } from "@pm/core";
import { describe, expect, it } from "vitest";
import { PUBLIC_ERRORS, toClientError } from "./client-error.ts";

describe("toClientError", () => {
  it.each([
    ["INVALID_TOKEN", "INVALID_TOKEN"],
    ["TOKEN_EXPIRED", "TOKEN_EXPIRED"],
    ["MISSING_AUTH_HEADER", "MISSING_AUTH_HEADER"],
    ["INVALID_AUTH_SCHEME", "INVALID_AUTH_SCHEME"],
    ["JWT_DECODE_FAILED", "INVALID_TOKEN"],
    ["RATE_LIMIT_EXCEEDED", "RATE_LIMIT_EXCEEDED"],
    ["INVALID_CLAIM", "INVALID_TOKEN"],
    ["CONNECTION_CLOSED", "CONNECTION_CLOSED"],
    ["DECODE_ERROR", "DECODE_ERROR"],
    ["ENCODE_ERROR", "INTERNAL_ERROR"],
    ["SLOW_CLIENT", "SLOW_CLIENT"],
    ["BROADCAST_LAGGED", "BROADCAST_LAGGED"],
    ["CONNECTION_LIMIT", "CONNECTION_LIMIT"],
    ["INVALID_MESSAGE", "INVALID_MESSAGE"],
    ["HEARTBEAT_TIMEOUT", "HEARTBEAT_TIMEOUT"],
    ["INTERNAL_ERROR", "INTERNAL_ERROR"],
    ["PERMISSION_DENIED", "PERMISSION_DENIED"],
    ["LIMIT_EXCEEDED", "LIMIT_EXCEEDED"],
    ["TENANT_UNKNOWN", "TENANT_UNKNOWN"],
    ["TENANT_SUSPENDED", "TENANT_SUSPENDED"],
    ["UNAVAILABLE", "UNAVAILABLE"],
    ["NOT_SUBSCRIBED", "NOT_SUBSCRIBED"],
    ["INVALID_NAME", "INVALID_MESSAGE"],
    ["SQLITE_BUSY", "INTERNAL_ERROR"],
    ["toString", "INTERNAL_ERROR"],
    ["__proto__", "INTERNAL_ERROR"],
    ["", "INTERNAL_ERROR"],
  ])("given the code %j inside, when it is told, then the client sees %s with its own sentence", (inside, told) => {
    const error = toClientError(new CodedError(inside, "internal text"), "e-1");
    expect(error).toMatchObject({ code: told, errorId: "e-1", ...PUBLIC_ERRORS[told as keyof typeof PUBLIC_ERRORS] });
  });

  it.each(["INVALID_TOKEN", "JWT_DECODE_FAILED", "INVALID_CLAIM", "INTERNAL_ERROR", "ENCODE_ERROR"])(
    "given %s about a field, when it is told, then the field is kept back",
    (code) => {
      expect(toClientError(new CodedError(code, "m", { field: "aud" }), "e-1").field).toBe("");
    },
  );

  it("given an error about the client's own input, when it is told, then it names the field", () => {
    expect(toClientError(new CodedError("INVALID_MESSAGE", "m", { field: "channel" }), "e-1").field).toBe("channel");
  });

  it.each([
    [undefined, 0],
    [0, 0],
    [-5, 0],
    [Number.NaN, 0],
    [0.2, 1],
    [1500, 1500],
    [2 ** 40, 2 ** 32 - 1],
    [Number.POSITIVE_INFINITY, 2 ** 32 - 1],
  ])("given a wait of %j ms, when it is told, then it is %j and fits the wire", (retryAfterMs, told) => {
    expect(toClientError(new CodedError("RATE_LIMIT_EXCEEDED", "m", { retryAfterMs }), "e-1").retryAfterMs).toBe(told);
  });
});

describe("PUBLIC_ERRORS", () => {
  it.each(Object.entries(PUBLIC_ERRORS))(
    "given %s, when its sentence is read, then it is one plain sentence",
    (_, told) => {
      expect(told.message).toMatch(/^[A-Z][A-Za-z ,;]+\.$/);
    },
  );
});
