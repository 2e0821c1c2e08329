import type { Dialect, LoginStep } from "../dialect/dialect.ts";
import { type CloseReason, type ConnectionHandler, type Endpoint, RawConnection } from "../wire/raw-connection.ts";
import { upgradeRequest } from "../wire/upgrade-request.ts";

/** Who is told of a client. */
export interface ClientEvents {
  /** Everything before the first message is done. */
  ready(client: BenchClient): void;
  /** A frame that came after that; its body is bytes[start, end). */
  frame(client: BenchClient, bytes: Buffer, range: { readonly start: number; readonly end: number }): void;
  closed(client: BenchClient, reason: CloseReason): void;
}

/** What a client is. */
export interface ClientPlan {
  readonly endpoint: Endpoint;
  readonly dialect: Dialect;
  readonly token: string | undefined;
  /** Read by it, when there is one. */
  readonly channel: string | undefined;
}

/** One connection of the generator: logs in, subscribes, and then hands on whatever comes. */
export class BenchClient implements ConnectionHandler {
  /** Sequence number of the message that is to come next. */
  nextSequence = 0;
  readonly #dialect: Dialect;
  readonly #events: ClientEvents;
  readonly #connection: RawConnection;
  #steps: readonly LoginStep[];
  #step = 0;
  #state: "opening" | "ready" | "closed" = "opening";

  constructor({ endpoint, dialect, token, channel }: ClientPlan, events: ClientEvents) {
    this.#dialect = dialect;
    this.#events = events;
    this.#steps = channel === undefined ? dialect.login : [...dialect.login, ...dialect.subscribe(channel)];
    const { path, subprotocol } = dialect;
    this.#connection = new RawConnection(
      endpoint,
      upgradeRequest({ host: endpoint.host, port: endpoint.port, path, subprotocol, token }),
      this,
    );
  }

  send(frame: Buffer): void {
    this.#connection.send(frame);
  }

  /** True when its socket does not take more for now. */
  get isFull(): boolean {
    return this.#connection.isFull;
  }

  /** Stops reading. */
  stall(): void {
    this.#connection.pause();
  }

  /** Ends without saying so. */
  destroy(): void {
    this.#state = "closed";
    this.#connection.destroy();
  }

  upgraded(): void {
    this.#sendSteps();
  }

  data(bytes: Buffer, start: number, end: number): void {
    const answer = this.#dialect.answer(bytes, start, end);
    if (answer !== undefined) this.#connection.send(answer);
    else if (this.#state === "ready") this.#events.frame(this, bytes, { start, end });
    else if (this.#state === "opening") this.#goOn(bytes.subarray(start, end));
  }

  closed(reason: CloseReason): void {
    const wasOurs = this.#state === "closed";
    this.#state = "closed";
    if (!wasOurs) this.#events.closed(this, reason);
  }

  #goOn(body: Buffer): void {
    const step = this.#steps[this.#step];
    if (step?.kind !== "wait" || !body.includes(step.bytes)) return;
    this.#step++;
    this.#sendSteps();
  }

  /** Sends up to the next step that waits. */
  #sendSteps(): void {
    for (; this.#step < this.#steps.length; this.#step++) {
      const step = this.#steps[this.#step];
      if (step?.kind !== "send") return;
      this.#connection.send(step.frame);
    }
    this.#steps = [];
    this.#state = "ready";
    this.#events.ready(this);
  }
}
