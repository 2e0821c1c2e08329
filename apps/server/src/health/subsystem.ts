/** How a part of the server is; `off`: the configuration does without it. */
export type HealthState = "off" | "ok" | "degraded" | "failed";

/** How a part of the server is, with the numbers that say why. */
export interface SubsystemReport {
  readonly state: HealthState;
  /** By name in snake_case, with the unit in it. For operators alone. */
  readonly numbers: Readonly<Record<string, number>>;
}

/** A part of the server that can say at once how it is. */
export interface Subsystem {
  /** In snake_case. */
  readonly name: string;
  report(): SubsystemReport;
}

/** A subsystem that watches something, from the start to the close. */
export interface WatchedSubsystem extends Subsystem {
  /** Resolves when it has looked once. */
  start(): Promise<void>;
  close(): void;
}

/** Where a number becomes worrying, and where nothing works any more. */
export interface Grades {
  readonly degraded: number;
  readonly failed: number;
}

/** The state that a number stands for. */
export function graded(value: number, { degraded, failed }: Grades): HealthState {
  if (value >= failed) return "failed";
  return value >= degraded ? "degraded" : "ok";
}
