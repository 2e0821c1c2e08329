import type { Channel } from "@pm/client";
import type { InterruptionCounts } from "./reader-protocol.ts";

/** Counts what channels recovered, and what they missed. */
export class Interruptions {
  readonly #onCounts: (counts: InterruptionCounts) => void;
  #counts: InterruptionCounts = { recovered: 0, missed: 0, isMissedUncertain: false };

  constructor(onCounts: (counts: InterruptionCounts) => void) {
    this.#onCounts = onCounts;
  }

  watch(channel: Channel): void {
    channel.on("recovered", ({ behind }) => this.#add({ recovered: behind }));
    for (const miss of ["missed", "lagged"] as const) {
      channel.on(miss, ({ count }) => this.#add({ missed: count ?? 0, isUncertain: count === undefined }));
    }
  }

  #add({ recovered = 0, missed = 0, isUncertain = false }: Addition): void {
    const counts = this.#counts;
    this.#counts = {
      recovered: counts.recovered + recovered,
      missed: counts.missed + missed,
      isMissedUncertain: counts.isMissedUncertain || isUncertain,
    };
    this.#onCounts(this.#counts);
  }
}

interface Addition {
  readonly recovered?: number;
  readonly missed?: number;
  readonly isUncertain?: boolean;
}
