import type { Lifecycle } from "@pm/core";
import type { ShutdownPhase } from "@pm/ws";

/** How a part of the server is. */
export type HealthState = "ok" | "degraded" | "failed";

/** A part of the server that can say how it is. */
export interface Subsystem {
  readonly name: string;
  check(): HealthState;
}

/** What `/health` answers: no numbers, which are on the operations listener alone. */
export interface HealthReport {
  readonly status: HealthState;
  readonly phase: ShutdownPhase;
  readonly subsystems: Readonly<Record<string, HealthState>>;
}

/** Asks every part of the server how it is. */
export class Health {
  readonly #subsystems: readonly Subsystem[];
  readonly #phase: () => ShutdownPhase;

  constructor(subsystems: readonly Subsystem[], phase: () => ShutdownPhase) {
    this.#subsystems = subsystems;
    this.#phase = phase;
  }

  /** True while new connections are wanted here. */
  isReady(): boolean {
    return this.#phase() === "serving" && this.report().status !== "failed";
  }

  report(): HealthReport {
    const states = this.#subsystems.map(({ name, check }) => [name, check()] as const);
    const worst = states.some(([, state]) => state === "failed")
      ? "failed"
      : states.some(([, state]) => state === "degraded")
        ? "degraded"
        : "ok";
    return { status: worst, phase: this.#phase(), subsystems: Object.fromEntries(states) };
  }
}

/** A part that begins and ends with the server. */
export type Part = Pick<Lifecycle, "close"> & Partial<Lifecycle>;
