import type { ErrorMessage, Limits } from "../wire/messages.ts";

/** Until a Welcome says more. */
const CAUTIOUS_LIMITS: Limits = {
  maxMessageBytes: 65_536,
  maxFrameBytes: 65_536,
  maxSubscriptions: 128,
  maxHistory: 1000,
  idempotencyWindowMs: 300_000,
};

/** What a connection may do. A size of 0 would forbid every message: it counts as not said. */
export function limitsOf(said: Limits | undefined): Limits {
  if (said === undefined) return CAUTIOUS_LIMITS;
  const { maxMessageBytes, maxFrameBytes } = CAUTIOUS_LIMITS;
  return {
    ...said,
    maxMessageBytes: said.maxMessageBytes || maxMessageBytes,
    maxFrameBytes: said.maxFrameBytes || maxFrameBytes,
  };
}

/** What a server would answer to a message that is larger than it takes, had it been sent. */
export function tooLarge(bytes: number, max: number): ErrorMessage {
  const message = `the message has ${bytes} bytes (at most ${max})`;
  return { code: "MESSAGE_TOO_LARGE", message, field: "", errorId: "", retryable: false, retryAfterMs: 0 };
}
