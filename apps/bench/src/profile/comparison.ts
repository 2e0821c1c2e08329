import type { ServerKind } from "../dialect/dialect.ts";
import type { LabPorts } from "./lab.ts";
import type { Measurement } from "./measurement.ts";

/** A profile in which servers are compared. */
export interface Comparison {
  readonly name: string;
  readonly title: string;
  readonly unit: CostUnit;
  /** The ratio of pm's cost to that of the plain ws server, at most; undefined: there to be looked at. */
  readonly target: number | undefined;
  /** Runs it once against a fresh server. */
  readonly run: (kind: ServerKind, ports: LabPorts) => Promise<Measurement>;
}

/** What a cost is counted in. */
export type CostUnit = "µs CPU a message" | "µs CPU a handshake" | "bytes a connection";
