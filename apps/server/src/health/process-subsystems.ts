import type { WsServer } from "@pm/ws";
import { graded, type Subsystem } from "./subsystem.ts";

/** Share of the connections that may be open. A full server refuses with 503 by itself, and stays ready. */
const CONNECTIONS_SHARE = { degraded: 0.95, failed: Number.POSITIVE_INFINITY };

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
