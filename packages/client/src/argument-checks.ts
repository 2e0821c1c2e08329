import { PmClientError } from "./pm-client-error.ts";
import type { StreamPosition } from "./wire/messages.ts";

const CHANNEL_NAME = /^[A-Za-z0-9_\-=@,.;:/+]{1,200}$/;
/** Of session ids, epochs and idempotency keys. */
const MAX_ID_BYTES = 64;
const MAX_UINT32 = 2 ** 32 - 1;

/** @throws PmClientError `INVALID_ARGUMENT` for anything outside the grammar of channel names */
export function assertChannelName(name: string): void {
  if (typeof name === "string" && CHANNEL_NAME.test(name)) return;
  throw PmClientError.invalidArgument("channel", "is not 1 to 200 of A-Z a-z 0-9 _ - = @ , . ; : / +");
}

/** @throws PmClientError `INVALID_ARGUMENT` for half of a surrogate pair, which no encoding can carry */
export function assertWellFormed(name: string, text: string | undefined): void {
  if (text === undefined || (typeof text === "string" && text.isWellFormed())) return;
  throw PmClientError.invalidArgument(name, "is not well-formed text");
}

/** @throws PmClientError `INVALID_ARGUMENT` for text that is not well-formed, or longer than servers take */
export function assertId(name: string, text: string | undefined): void {
  assertWellFormed(name, text);
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > MAX_ID_BYTES) throw PmClientError.invalidArgument(name, `has ${bytes} bytes (at most ${MAX_ID_BYTES})`);
}

/** @throws PmClientError `INVALID_ARGUMENT` for what cannot be a position */
export function assertPosition(position: StreamPosition | null | undefined): void {
  if (position === undefined || position === null) return;
  assertId("since.epoch", position.epoch);
  if (!Number.isSafeInteger(position.offset) || position.offset < 0) {
    throw PmClientError.invalidArgument("since.offset", `is ${position.offset}, not a whole number from 0 on`);
  }
  assertUint32("since.check", position.check);
}

/** @throws PmClientError `INVALID_ARGUMENT` for what is not a whole number from 0 to 2^32 − 1 */
export function assertUint32(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isInteger(value) && value >= 0 && value <= MAX_UINT32)) return;
  throw PmClientError.invalidArgument(name, `is ${value}, not a whole number from 0 to ${MAX_UINT32}`);
}
