import { getHeapStatistics } from "node:v8";
import type { WsServer } from "@pm/ws";
import { graded, type Subsystem } from "./subsystem.ts";

/** Share of the heap's limit that is in use. */
const HEAP_SHARE = { degraded: 0.85, failed: 0.97 };
/** Share of the connections that may be open. A full server refuses with 503 by itself, and stays ready. */
const CONNECTIONS_SHARE = { degraded: 0.95, failed: Number.POSITIVE_INFINITY };

/** The memory of the process. */
export function memory(): Subsystem {
  return {
    name: "memory",
    report() {
      const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
      return {
        state: graded(used / limit, HEAP_SHARE),
        numbers: { heap_used_bytes: used, heap_limit_bytes: limit, resident_bytes: process.memoryUsage.rss() },
      };
    },
  };
}

/** Open connections against their limit. */
export function connections(ws: WsServer): Subsystem {
  return {
    name: "connections",
    report() {
      const { size: open, tenantCount: tenants } = ws.connections;
      const max = ws.options.maxTotalConnections;
      return { state: graded(open / max, CONNECTIONS_SHARE), numbers: { open, max, tenants } };
    },
  };
}

/** How far the end is. */
export function drain(ws: WsServer): Subsystem {
  return {
    name: "drain",
    report: () => ({
      state: ws.shutdown.phase === "serving" ? "ok" : "degraded",
      numbers: { connections_left: ws.shutdown.left },
    }),
  };
}
