import { assertPosition, assertUint32 } from "../argument-checks.ts";
import { PmClientError } from "../pm-client-error.ts";
import type { StreamPosition } from "../wire/messages.ts";

/** Where a subscription begins when the client has no position in the channel yet. */
export interface SubscribeOptions {
  /**
   * Continue after this position, for example one that was kept over a reload of the page.
   * @default none: from now on
   */
  readonly since?: StreamPosition | undefined;
  /**
   * Begin with so many of the last publications. Needs the grant `history`. Not together with `since`.
   * @default 0
   */
  readonly rewind?: number | undefined;
}

/** @throws PmClientError `INVALID_ARGUMENT` */
export function assertSubscribeOptions({ since, rewind }: SubscribeOptions): void {
  assertPosition(since);
  assertUint32("rewind", rewind);
  if (since !== undefined && rewind !== undefined && rewind > 0) {
    throw PmClientError.invalidArgument("rewind", "cannot be given together with since");
  }
}
