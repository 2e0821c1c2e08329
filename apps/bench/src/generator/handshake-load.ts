import type { CloseReason } from "../wire/raw-connection.ts";
import { BenchClient, type ClientEvents, type ClientPlan } from "./bench-client.ts";

/** What a storm of handshakes needs. */
export interface HandshakeLoadPorts {
  /** The n-th connection. */
  readonly planOf: (n: number) => ClientPlan;
  readonly concurrency: number;
  /** A handshake has taken so long, from the first packet to the first message. */
  readonly done: (us: number) => void;
}

/** Connects, waits until the first message could be sent, disconnects; again and again, some at a time. */
export class HandshakeLoad {
  /** Handshakes that were finished. */
  count = 0;
  /** Why one was refused or cut, if one was. */
  failure: CloseReason | undefined;
  readonly #ports: HandshakeLoadPorts;
  readonly #clients = new Set<BenchClient>();
  #begun = 0;
  #isOver = false;

  constructor(ports: HandshakeLoadPorts) {
    this.#ports = ports;
  }

  start(): void {
    for (let i = 0; i < this.#ports.concurrency; i++) this.#next();
  }

  /** Begins no more. */
  stop(): void {
    this.#isOver = true;
  }

  #next(): void {
    if (this.#isOver) return;
    const startMs = performance.now();
    const events: ClientEvents = {
      ready: (client) => {
        this.count++;
        this.#ports.done((performance.now() - startMs) * 1000);
        client.destroy();
        this.#clients.delete(client);
        this.#next();
      },
      frame: () => undefined,
      closed: (_, reason) => {
        this.failure ??= reason;
        this.#isOver = true;
      },
    };
    this.#clients.add(new BenchClient(this.#ports.planOf(this.#begun++), events));
  }
}
