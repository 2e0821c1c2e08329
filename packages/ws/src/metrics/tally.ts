import { Counter, type Registry } from "prom-client";

/** A counter for hot paths: a plain number, given to prom-client only when metrics are collected. */
export class Tally {
  #pending = 0;

  inc(by = 1): void {
    this.#pending += by;
  }

  /** What was counted since the last time. */
  take(): number {
    const pending = this.#pending;
    this.#pending = 0;
    return pending;
  }
}

/** Registers a counter that is fed by a tally. */
export function tallied(config: { readonly name: string; readonly help: string; readonly registry: Registry }): Tally {
  const tally = new Tally();
  config.registry.registerMetric(
    new Counter({
      name: config.name,
      help: config.help,
      registers: [],
      collect() {
        this.inc(tally.take());
      },
    }),
  );
  return tally;
}

/** Registers a counter with one label, fed by a tally for each of its values as they come to be used. */
export function talliedBy(
  config: { readonly name: string; readonly help: string; readonly registry: Registry },
  label: string,
): (value: string) => Tally {
  const tallies = new Map<string, Tally>();
  config.registry.registerMetric(
    new Counter({
      name: config.name,
      help: config.help,
      labelNames: [label],
      registers: [],
      collect() {
        for (const [value, tally] of tallies) this.inc({ [label]: value }, tally.take());
      },
    }),
  );
  return (value) => {
    let tally = tallies.get(value);
    if (tally === undefined) {
      tally = new Tally();
      tallies.set(value, tally);
    }
    return tally;
  };
}
