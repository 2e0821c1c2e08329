import { setTimeout as wait } from "node:timers/promises";
import type { Encoding, ErrorMessage, Publication, ServerMessage, Subscribed, Welcome } from "@pm/proto";
import type { ChannelCursor, Gap } from "./channel-cursor.ts";
import { CommandError } from "./command-error.ts";
import type { ListenOutput } from "./listen-output.ts";
import { formatPosition } from "./position-option.ts";
import { ProtocolSession } from "./protocol-session.ts";
import type { SessionEnd } from "./reconnect-plan.ts";

/** What one session is to do. */
export interface ListenSessionOptions {
  readonly url: string;
  readonly token: string;
  readonly encoding: Encoding;
  /** The same for all connections of one listener, so that a new one takes the place of the old in the limits. */
  readonly sessionId: string;
  /** Publications after which it closes. */
  readonly left: number;
}

/** What a session works with. */
export interface ListenSessionPorts {
  readonly cursors: ReadonlyMap<string, ChannelCursor>;
  readonly output: ListenOutput;
  /** Ends the session. */
  readonly signal: AbortSignal;
}

/** What became of a session. */
export interface ListenSessionResult {
  readonly end: SessionEnd;
  /** What GoAway said. */
  readonly hintMs: number | undefined;
  readonly wasWelcomed: boolean;
  readonly printed: number;
}

const SDK = "pmctl";

/** One connection of a Listener: subscribes every cursor, prints what comes, and says how it ended. */
export class ListenSession {
  /** Rejects with CommandError `FAILED` when a channel is refused. */
  readonly result: Promise<ListenSessionResult>;
  readonly #session: ProtocolSession;
  readonly #options: ListenSessionOptions;
  readonly #ports: ListenSessionPorts;
  #isOver = false;
  #hintMs: number | undefined;
  #wasWelcomed = false;
  #printed = 0;
  #refusal: CommandError | undefined;

  constructor(options: ListenSessionOptions, ports: ListenSessionPorts) {
    this.#options = options;
    this.#ports = ports;
    const { promise, resolve, reject } = Promise.withResolvers<ListenSessionResult>();
    this.result = promise;
    const abort = (): void => this.#session.close();
    this.#session = new ProtocolSession(options, {
      message: (message) => this.#receive(message),
      ended: (end) => {
        ports.signal.removeEventListener("abort", abort);
        this.#release();
        if (this.#refusal === undefined) resolve(this.#resultOf(end));
        else reject(this.#refusal);
      },
    });
    ports.signal.addEventListener("abort", abort);
    if (ports.signal.aborted) abort();
  }

  #resultOf(end: SessionEnd): ListenSessionResult {
    return { end, hintMs: this.#hintMs, wasWelcomed: this.#wasWelcomed, printed: this.#printed };
  }

  #release(): void {
    this.#isOver = true;
    for (const cursor of this.#ports.cursors.values()) cursor.disconnected();
  }

  #receive({ body, replyTo }: ServerMessage): void {
    const { cursors } = this.#ports;
    switch (body.case) {
      case "welcome":
        this.#welcomed(body.value);
        break;
      case "subscribed":
        this.#subscribed(replyTo, body.value);
        break;
      case "publication":
        this.#publication(body.value);
        break;
      case "lagged":
        this.#gap(cursors.get(body.value.channel)?.lagged(body.value));
        break;
      case "unsubscribed":
        if (cursors.has(body.value.channel)) this.#refuse(body.value.channel, body.value.code);
        break;
      case "goAway":
        this.#hintMs = body.value.reconnectAfterMs;
        break;
      case "error":
        this.#failed(replyTo, body.value);
        break;
      case "published":
      case "tokenRefreshed":
      case "historyPage":
      case "pong":
      case undefined:
        break;
    }
  }

  #welcomed({ tenantId, userId }: Welcome): void {
    this.#wasWelcomed = true;
    this.#ports.output.note(`connected as ${userId} of ${tenantId}`);
    this.#session.tell({ case: "hello", value: { sessionId: this.#options.sessionId, sdk: SDK } });
    for (const cursor of this.#ports.cursors.values()) {
      if (cursor.needsRequest) this.#subscribe(cursor);
    }
  }

  #subscribe(cursor: ChannelCursor): void {
    this.#session.request((id) => ({ case: "subscribe", value: cursor.request(id) }));
  }

  #subscribed(replyTo: number, subscribed: Subscribed): void {
    const cursor = this.#ports.cursors.get(subscribed.channel);
    if (cursor === undefined || !cursor.expects(replyTo)) return;
    this.#gap(cursor.subscribed(subscribed));
    if (replyTo !== 0 && cursor.position !== undefined) {
      this.#ports.output.note(`listening to ${cursor.channel} after ${formatPosition(cursor.position)}`);
    }
  }

  #publication(publication: Publication): void {
    const cursor = this.#ports.cursors.get(publication.channel);
    if (cursor === undefined || this.#printed >= this.#options.left) return;
    const verdict = cursor.publication(publication);
    if (verdict === "resubscribe") this.#subscribe(cursor);
    if (verdict !== "deliver" || cursor.position === undefined) return;
    const hasRoom = this.#ports.output.publication(publication, cursor.position);
    if (!hasRoom) void this.#pause();
    if (++this.#printed >= this.#options.left) this.#session.close();
  }

  /** While whoever reads the output is behind, nothing is read from the server: it holds the log. */
  async #pause(): Promise<void> {
    this.#session.pause();
    await this.#ports.output.drained();
    this.#session.resume();
  }

  #gap(gap: Gap | undefined): void {
    if (gap !== undefined) this.#ports.output.gap(gap);
  }

  #failed(replyTo: number, error: ErrorMessage): void {
    const told = `${error.code}: ${error.message}${error.errorId === "" ? "" : ` (error ${error.errorId})`}`;
    const cursor = [...this.#ports.cursors.values()].find((one) => one.isPending(replyTo));
    if (cursor === undefined) this.#ports.output.note(`the server says ${told}`);
    else if (error.retryable) void this.#subscribeLater(cursor, error.retryAfterMs);
    else this.#refuse(cursor.channel, told);
  }

  async #subscribeLater(cursor: ChannelCursor, afterMs: number): Promise<void> {
    await wait(Math.max(100, afterMs), undefined, { ref: false });
    if (!this.#isOver) this.#subscribe(cursor);
  }

  #refuse(channel: string, reason: string): void {
    this.#refusal ??= CommandError.failed(`${channel}: ${reason === "" ? "ended by the server" : reason}`);
    this.#session.close();
  }
}
