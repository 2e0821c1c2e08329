import { assertPosition, assertUint32 } from "../argument-checks.ts";
import { PmClientError } from "../pm-client-error.ts";
import type { StreamPosition } from "../wire/messages.ts";

/** Where a subscription begins. After a reconnect it goes on where it was. */
export interface SubscribeOptions {
  /**
   * Continue after this position, for example one that was kept over a reload of the page; `null` is none. Given to
   * `client.channel`, it counts as long as the channel has no position of its own: what begins later continues after
   * that.
   * @default none: from now on
   */
  readonly since?: StreamPosition | null | undefined;
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
  if (since && rewind !== undefined && rewind > 0) {
    throw PmClientError.invalidArgument("rewind", "cannot be given together with since");
  }
}
