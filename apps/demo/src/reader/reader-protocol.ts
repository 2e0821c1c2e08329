import type { ClientState, StreamPosition } from "@pm/client";
import type { BoardEntry, BoardState } from "../board/board-state.ts";
import type { IssuedCommand } from "../board/board-command.ts";
import type { DemoTenant } from "../board/tenants.ts";

/** What the page tells the worker of a tenant. `start` comes first, once. */
export type ReaderOrder =
  | { readonly kind: "start"; readonly tenant: DemoTenant["id"]; readonly user: string }
  | { readonly kind: "publish"; readonly issued: IssuedCommand }
  /** The network is away for a while. */
  | { readonly kind: "cut"; readonly ms: number }
  /** The network is back, or the client is to connect without waiting. */
  | { readonly kind: "mend" }
  /** The worker does nothing for a while: no message is taken from its socket. */
  | { readonly kind: "stall"; readonly ms: number };

/** A connection as the page shows it. */
export type ConnectionView =
  | { readonly kind: Exclude<ClientState["kind"], "waiting" | "stopped"> }
  | { readonly kind: "waiting"; readonly afterMs: number }
  | { readonly kind: "stopped"; readonly reason: string };

/** A publication of a board as it was delivered. */
export interface DeliveredEntry extends BoardEntry {
  readonly epoch: string;
  readonly publisher: string;
  readonly publishedAtMs: number;
}

/** Publications after an interruption that came, and that did not. */
export interface InterruptionCounts {
  readonly recovered: number;
  readonly missed: number;
  /** Nobody knows how many were missed at least once. */
  readonly isMissedUncertain: boolean;
}

/** How long a publication took, at the time when it was published. */
export interface LatencyPoint {
  readonly publishedAtMs: number;
  readonly latencyMs: number;
}

/** What the worker of a tenant tells the page. */
export type ReaderReport =
  | { readonly kind: "connection"; readonly connection: ConnectionView }
  /** Every publication of the board, once it was delivered. */
  | { readonly kind: "entry"; readonly entry: DeliveredEntry; readonly state: BoardState }
  /** The board was read from its log, at the beginning or after a miss. */
  | { readonly kind: "restored"; readonly epoch: string; readonly state: BoardState }
  /** The command is in the log, at this offset. */
  | { readonly kind: "accepted"; readonly id: string; readonly offset: number }
  | { readonly kind: "refused"; readonly id: string; readonly reason: string }
  | { readonly kind: "interrupted"; readonly counts: InterruptionCounts }
  | {
      readonly kind: "traffic";
      readonly received: number;
      readonly position: StreamPosition | undefined;
      readonly latencies: readonly LatencyPoint[];
    };
