import { describe, expect, it } from "vitest";
import { AuthError } from "./auth-error.ts";

describe("AuthError", () => {
  it("given an error made here, when its location is read, then it is this file", () => {
    expect(AuthError.missingAuthHeader().location?.file).toContain("auth-error.test.ts");
  });

  it.each([
    AuthError.invalidToken("the signature is not of the key", { cause: new Error("inner") }),
    AuthError.undecodable("it has not three parts"),
    AuthError.invalidClaim("sub", "is absent"),
  ])("given a token refused as $code, when it is told to a client, then every refusal is the same", (error) => {
    expect(error.toProtoError("e1")).toEqual({
      code: "INVALID_TOKEN",
      message: "The token is not valid.",
      field: "",
      errorId: "e1",
      retryable: false,
      retryAfterMs: 0,
    });
  });

  it("given an expired token, when it is told to a client, then the client learns that and no number", () => {
    const told = AuthError.expired(1000, 40_000, 30_000).toProtoError("e1");
    expect(told).toMatchObject({ code: "TOKEN_EXPIRED", message: "The token has expired.", field: "" });
  });

  it("given a limiter's wait, when it is told to a client, then the wait is there, and an infinite one is not", () => {
    expect(AuthError.rateLimitExceeded("user ada", 250).toProtoError("e1")).toMatchObject({
      code: "RATE_LIMIT_EXCEEDED",
      retryAfterMs: 250,
    });
    expect(AuthError.rateLimitExceeded("user ada", Number.POSITIVE_INFINITY).toProtoError("e1").retryAfterMs).toBe(0);
  });

  it("given an overload, when it is told to a client, then it may try again", () => {
    const told = AuthError.unavailable("1024 are being verified", 1000).toProtoError("e1");
    expect(told).toMatchObject({ code: "UNAVAILABLE", retryable: true, retryAfterMs: 1000 });
  });

  it("given a header without a scheme, when the message is read, then the token is not in it", () => {
    expect(AuthError.invalidAuthScheme("eyJhbGciOiJIUzI1NiJ9".length).message).not.toContain("eyJ");
  });
});
