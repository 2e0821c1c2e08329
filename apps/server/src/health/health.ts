import type { ShutdownPhase } from "@pm/ws";
import type { HealthState, Subsystem, SubsystemReport } from "./subsystem.ts";

/** What everybody may know. */
export interface HealthReport {
  readonly status: HealthState;
  readonly phase: ShutdownPhase;
  readonly subsystems: Readonly<Record<string, HealthState>>;
}

/** The same with the numbers, for operators. */
export interface HealthDetails extends Omit<HealthReport, "subsystems"> {
  readonly subsystems: Readonly<Record<string, SubsystemReport>>;
}

const GRAVITY: readonly HealthState[] = ["off", "ok", "degraded", "failed"];

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
    const reports = this.#reports();
    return {
      ...this.#summary(reports),
      subsystems: Object.fromEntries(reports.map(([name, { state }]) => [name, state])),
    };
  }

  details(): HealthDetails {
    const reports = this.#reports();
    return { ...this.#summary(reports), subsystems: Object.fromEntries(reports) };
  }

  #reports(): (readonly [name: string, report: SubsystemReport])[] {
    return this.#subsystems.map((subsystem) => [subsystem.name, subsystem.report()]);
  }

  /** The whole is as its worst part. */
  #summary(reports: readonly (readonly [string, SubsystemReport])[]): Omit<HealthReport, "subsystems"> {
    const worst = Math.max(GRAVITY.indexOf("ok"), ...reports.map(([, { state }]) => GRAVITY.indexOf(state)));
    return { status: GRAVITY[worst] ?? "failed", phase: this.#phase() };
  }
}
