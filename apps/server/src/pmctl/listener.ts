import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { TENANT_CHANNEL } from "@pm/core";
import type { Encoding } from "@pm/proto";
import { ChannelCursor, type CursorStart } from "./channel-cursor.ts";
import { CommandError } from "./command-error.ts";
import type { TokenSource } from "./identity-options.ts";
import type { ListenOutput } from "./listen-output.ts";
import { ListenSession } from "./listen-session.ts";
import { describeEnd, planReconnect, type SessionEnd } from "./reconnect-plan.ts";

/** What to listen to. */
export interface ListenerOptions {
  readonly url: string;
  readonly encoding: Encoding;
  readonly channels: readonly string[];
  /** Where every channel begins. */
  readonly start: CursorStart;
  /** Publications after which it ends; undefined: it goes on. */
  readonly count: number | undefined;
}

/** What a Listener works with. */
export interface ListenerPorts {
  readonly tokens: TokenSource;
  readonly output: ListenOutput;
  /** Ends the listening. */
  readonly signal: AbortSignal;
}

/** Prints the publications of channels over as many connections as it takes; its cursors outlive them. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #ports: ListenerPorts;
  readonly #cursors = new Map<string, ChannelCursor>();
  readonly #sessionId = randomUUID();
  #everWelcomed = false;
  #failures = 0;

  constructor(options: ListenerOptions, ports: ListenerPorts) {
    this.#options = options;
    this.#ports = ports;
    // Every connection is subscribed to the tenant-wide channel without asking.
    this.#cursors.set(TENANT_CHANNEL, new ChannelCursor(TENANT_CHANNEL, {}, { isAutomatic: true }));
    for (const channel of options.channels) this.#cursors.set(channel, new ChannelCursor(channel, options.start));
  }

  /**
   * Resolves when it is interrupted, or has printed as many publications as wanted.
   * @throws CommandError `FAILED` when the server says not to come back, or cannot be reached at first
   */
  async run(): Promise<void> {
    const { signal } = this.#ports;
    let left = this.#options.count ?? Number.POSITIVE_INFINITY;
    while (!signal.aborted) {
      const { end, hintMs, wasWelcomed, printed } = await this.#listenOnce(left);
      left -= printed;
      if (signal.aborted || left <= 0) return;
      this.#everWelcomed ||= wasWelcomed;
      this.#failures = wasWelcomed ? 0 : this.#failures + 1;
      await this.#waitForNext(end, hintMs);
    }
  }

  async #listenOnce(left: number): ListenSession["result"] {
    const { url, encoding } = this.#options;
    const { tokens, output, signal } = this.#ports;
    const target = { url, encoding, token: await tokens.get(), sessionId: this.#sessionId, left };
    return new ListenSession(target, { cursors: this.#cursors, output, signal }).result;
  }

  async #waitForNext(end: SessionEnd, hintMs: number | undefined): Promise<void> {
    const { tokens, output, signal } = this.#ports;
    const plan = planReconnect(end, {
      everWelcomed: this.#everWelcomed,
      failures: this.#failures,
      hintMs,
      renewsToken: tokens.renews,
      random: Math.random(),
    });
    const told = describeEnd(end);
    if (plan.kind === "stop") throw CommandError.failed(`${this.#options.url}: ${told}`);
    output.note(`disconnected (${told}), connecting again in ${(plan.ms / 1000).toFixed(1)} s`);
    await wait(plan.ms, undefined, { signal }).catch(() => undefined);
  }
}
