import type { Clock } from "@pm/core";
import type { BrokerListener, LogEntry } from "../log/broker.ts";
import type { BrokerFaults } from "./broker-faults.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** What a HostileListener is made of. */
export interface HostileListenerPorts {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly faults: () => BrokerFaults;
}

/** Passes notices on as badly as the contract allows. */
export class HostileListener implements BrokerListener {
  readonly #listener: BrokerListener;
  readonly #ports: HostileListenerPorts;
  #isClosed = false;

  constructor(listener: BrokerListener, ports: HostileListenerPorts) {
    this.#listener = listener;
    this.#ports = ports;
  }

  onEntry(epoch: string, entry: LogEntry): void {
    const { random, faults } = this.#ports;
    const { dropNotices, duplicateNotices, interrupt } = faults();
    const times = random.chance(dropNotices) ? 0 : random.chance(duplicateNotices) ? 2 : 1;
    for (let time = 0; time < times; time++) this.#sometime(() => this.#listener.onEntry(epoch, entry));
    if (random.chance(interrupt)) this.#sometime(() => this.#listener.onInterrupted());
  }

  onInterrupted(): void {
    this.#sometime(() => this.#listener.onInterrupted());
  }

  /** The listener hears nothing more. */
  close(): void {
    this.#isClosed = true;
  }

  #sometime(notice: () => void): void {
    const { random, clock, faults } = this.#ports;
    const { delayNotices, maxDelayMs } = faults();
    if (this.#isClosed) return;
    if (!random.chance(delayNotices)) notice();
    else clock.after(random.below(maxDelayMs + 1), () => !this.#isClosed && notice());
  }
}
