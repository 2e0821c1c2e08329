import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ErrorMessage, PayloadSchema, Published, ServerMessage } from "@pm/proto";
import { CommandError } from "./command-error.ts";
import type { Position } from "./position-option.ts";
import { ProtocolSession, type SessionTarget } from "./protocol-session.ts";
import { describeEnd } from "./reconnect-plan.ts";

/** What to publish. */
export interface PublishMessage {
  readonly channel: string;
  readonly payload: MessageInitShape<typeof PayloadSchema>;
  readonly event: string;
  readonly idempotencyKey: string;
}

/** When to give up. */
export interface PublishLimits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Where the publication is. */
export interface PublishResult {
  readonly position: Position;
  /** True: the key was used before, and this is where the first publication is. */
  readonly duplicate: boolean;
  readonly messageId: string;
}

/**
 * Connects, publishes once, and closes when the publication is in the log.
 * @throws CommandError `FAILED`; where the outcome is unknown it says so, with the key to try again with
 */
export async function publishOnce(
  target: SessionTarget,
  message: PublishMessage,
  { timeoutMs, signal }: PublishLimits,
): Promise<PublishResult> {
  const { promise, resolve, reject } = Promise.withResolvers<PublishResult>();
  let sentId: number | undefined;
  const giveUp = (reason: string): void => {
    reject(CommandError.failed(sentId === undefined ? reason : `${reason}${unknownOutcome(message)}`));
  };
  const receive = ({ body, replyTo }: ServerMessage): void => {
    if (body.case === "welcome") {
      session.request((id) => {
        sentId = id;
        return { case: "publish", value: message };
      });
    }
    if (body.case === "error") reject(refusal(body.value, message));
    if (body.case === "published" && replyTo === sentId) resolve(resultOf(body.value));
  };
  const session = new ProtocolSession(target, {
    message: receive,
    ended: (end) => giveUp(`${target.url}: ${describeEnd(end)}`),
  });
  const onAbort = (): void => giveUp("interrupted");
  const timer = setTimeout(() => giveUp(`no answer within ${timeoutMs / 1000} s`), timeoutMs);
  signal.addEventListener("abort", onAbort);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    session.close();
  }
}

function resultOf({ position, duplicate, messageId }: Published): PublishResult {
  if (position === undefined) throw CommandError.failed("the server acknowledged without a position");
  return { position, duplicate, messageId };
}

function refusal({ code, message, field, errorId }: ErrorMessage, publication: PublishMessage): CommandError {
  const where = field === "" ? "" : ` (${field})`;
  const told = `${publication.channel}: ${code}${where}: ${message}${errorId === "" ? "" : ` (error ${errorId})`}`;
  return CommandError.failed(code === "UNAVAILABLE" ? `${told}${unknownOutcome(publication)}` : told);
}

function unknownOutcome({ idempotencyKey }: PublishMessage): string {
  return `; whether it was published is unknown, try again with --key ${idempotencyKey}`;
}
