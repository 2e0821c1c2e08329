import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { ConnectionView } from "../reader/reader-protocol.ts";
import { now } from "./pulse-loop.ts";
import type { TenantModel } from "./tenant-model.ts";

/** Whether the reader of a tenant is connected. */
export function ConnectionBadge({ model }: { readonly model: TenantModel }): JSX.Element {
  const connection = model.connection.value;
  const since = useRef({ connection, atMs: Date.now() });
  if (since.current.connection !== connection) since.current = { connection, atMs: Date.now() };
  const isStalled = model.stalledUntilMs.value > now.value;
  const cutSecs = Math.ceil((model.cutUntilMs.value - now.value) / 1000);
  const isCut = cutSecs > 0 && connection.kind !== "connected";
  const away = isCut ? `Cut for ${cutSecs} s` : textOf(connection, now.value - since.current.atMs);
  return (
    <span class="badge" data-connection={isStalled ? "stalled" : connection.kind}>
      {isStalled ? "Stalled" : away}
    </span>
  );
}

function textOf(connection: ConnectionView, elapsedMs: number): string {
  switch (connection.kind) {
    case "connected":
      return "Connected";
    case "idle":
    case "connecting":
      return "Connecting…";
    case "waiting": {
      const secs = Math.ceil((connection.afterMs - elapsedMs) / 1000);
      return secs > 0 ? `Reconnects in ${secs} s` : "Reconnecting…";
    }
    case "stopped":
      return `Stopped: ${connection.reason}`;
    default:
      return connection satisfies never;
  }
}
