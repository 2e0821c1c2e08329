import type { LabPorts } from "./lab.ts";

/** A profile that looks at pm alone: how one thing changes when another does. */
export interface Behaviour {
  readonly name: string;
  readonly title: string;
  readonly run: (ports: LabPorts) => Promise<BehaviourResult>;
}

/** What a behaviour's run has shown. */
export interface BehaviourResult {
  readonly figures: readonly Figure[];
  readonly faults: readonly string[];
}

/** A number with its name, and what it should not be above, if there is such a thing. */
export interface Figure {
  readonly label: string;
  readonly value: number;
  readonly unit: FigureUnit;
  readonly target?: number | undefined;
}

/** What a figure is counted in. */
export type FigureUnit = "ms" | "MiB" | "µs" | "ratio" | "connections" | "messages a second";
