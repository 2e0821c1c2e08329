import { monitorEventLoopDelay } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import type { Subsystem } from "./health.ts";
import type { AppState } from "./state.ts";

/** Delay of the event loop, 99th percentile of the last look, in milliseconds. */
const LOOP_DEGRADED_MS = 250;
const LOOP_FAILED_MS = 5_000;
/** Share of the heap's limit that is in use. */
const HEAP_DEGRADED = 0.85;
const HEAP_FAILED = 0.97;
/** Share of the connections that may be open. */
const CONNECTIONS_DEGRADED = 0.95;

/** The checks of the server's parts. */
export function subsystemsOf({ ws, config }: AppState): Subsystem[] {
  return [
    eventLoop(),
    {
      name: "memory",
      check() {
        const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
        return graded(used / limit, HEAP_DEGRADED, HEAP_FAILED);
      },
    },
    {
      name: "connections",
      check: () => graded(ws.connections.size / config.maxTotalConnections, CONNECTIONS_DEGRADED, Number.POSITIVE_INFINITY),
    },
    { name: "drain", check: () => (ws.shutdown.phase === "serving" ? "ok" : "degraded") },
  ];
}

function eventLoop(): Subsystem {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  return {
    name: "event_loop",
    check() {
      const p99Ms = delay.percentile(99) / 1e6;
      delay.reset();
      return graded(p99Ms, LOOP_DEGRADED_MS, LOOP_FAILED_MS);
    },
  };
}

function graded(value: number, degraded: number, failed: number): "ok" | "degraded" | "failed" {
  if (value >= failed) return "failed";
  return value >= degraded ? "degraded" : "ok";
}
