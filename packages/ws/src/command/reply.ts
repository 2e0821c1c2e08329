import type { StreamPosition } from "../log/stream-position.ts";
import type { ReplyBody } from "../wire/reply-encoder.ts";

/** What a handler answers with. */
export interface Reply {
  /** Makes the answer; not called when no answer is wanted. */
  body(): ReplyBody;
  /** What takes effect right behind the reply: deliveries that must not come before it. */
  readonly afterQueued?: (() => void) | undefined;
}

/** A position as the wire has it. */
export function positionMessage(position: StreamPosition): { epoch: string; offset: bigint; check: number } {
  return { epoch: position.epoch, offset: BigInt(position.offset), check: position.check };
}
