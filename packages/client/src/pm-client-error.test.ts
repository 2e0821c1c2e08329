import { describe, expect, it } from "vitest";
import { PmClientError } from "./pm-client-error.ts";
import type { ErrorMessage } from "./wire/messages.ts";

const SAID: ErrorMessage = { code: "X", message: "x", field: "", errorId: "", retryable: false, retryAfterMs: 0 };

describe("PmClientError", () => {
  it.each<[boolean, string, PmClientError]>([
    [true, "BUFFER_FULL", PmClientError.bufferFull(1)],
    [true, "EXPIRED", PmClientError.expired(1)],
    [true, "TIMEOUT", PmClientError.timeout("it", 1)],
    [true, "TOKEN_FAILED", PmClientError.tokenFailed("no")],
    [false, "OUTCOME_UNKNOWN", PmClientError.outcomeUnknown("why")],
    [false, "CLOSED", PmClientError.closed("it")],
    [false, "UNAUTHORIZED", PmClientError.unauthorized()],
    [false, "STOPPED", PmClientError.stopped(4503, undefined, "")],
  ])("given whether trying again can help is %j, when it is %s, then the error says so", (retryable, code, error) => {
    expect(error).toMatchObject({ code, retryable });
  });

  it("given all that a server can say, when it is an error, then it says all of it, and nothing of what was not said", () => {
    const more = { field: "f", errorId: "e", retryable: true, retryAfterMs: 5 };
    expect(PmClientError.fromServer({ ...SAID, ...more })).toMatchObject({ ...more, closeCode: undefined });
    const { field, errorId, retryAfterMs } = PmClientError.fromServer(SAID);
    expect([field, errorId, retryAfterMs]).toEqual([undefined, undefined, undefined]);
  });

  it("given a close without a reason, when the client stops, then the message ends with its code", () => {
    expect(PmClientError.stopped(4503, undefined, "").message).toBe("the server closed the connection with 4503");
  });
});
