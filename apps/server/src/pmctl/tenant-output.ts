import { type Tenant, TenantState } from "@pm/proto/ops";
import { textTable } from "./text-table.ts";

/** A tenant as a line of JSON for other programs; limits that are those of the server are absent. */
export function tenantJson({ id, state, displayName, limits, createdAtMs, updatedAtMs }: Tenant): string {
  return JSON.stringify({
    id,
    state: stateName(state),
    display_name: displayName === "" ? undefined : displayName,
    limits: {
      max_connections: limits?.maxConnections,
      publications_per_sec: limits?.publicationsPerSec,
      bytes_per_sec: limits?.bytesPerSec === undefined ? undefined : Number(limits.bytesPerSec),
      max_channels: limits?.maxChannels,
    },
    created_at: isoOf(createdAtMs),
    updated_at: isoOf(updatedAtMs),
  });
}

/** A tenant for people, one thing a line. */
export function tenantLines(tenant: Tenant): string[] {
  const { createdAtMs, updatedAtMs } = tenant;
  const cells = tenantRow(tenant);
  const rows = TENANT_HEAD.map((head, column) => [head.toLowerCase(), cells[column] ?? ""]);
  return textTable([...rows, ["created", isoOf(createdAtMs)], ["updated", isoOf(updatedAtMs)]]);
}

/** The heads of the columns of `tenantRow`. */
export const TENANT_HEAD: readonly string[] = [
  "TENANT",
  "STATE",
  "CONNECTIONS",
  "CHANNELS",
  "PUBLICATIONS/S",
  "BYTES/S",
  "NAME",
];

/** A tenant as a row. A limit that is `-` is that of the server. */
export function tenantRow({ id, state, displayName, limits }: Tenant): string[] {
  const quotas = [limits?.publicationsPerSec, limits?.bytesPerSec].map(quotaText);
  const counts = [limits?.maxConnections, limits?.maxChannels].map((limit) => String(limit ?? "-"));
  return [id, stateName(state), ...counts, ...quotas, displayName];
}

function quotaText(perSec: number | bigint | undefined): string {
  if (perSec === undefined) return "-";
  return Number(perSec) === 0 ? "unlimited" : String(perSec);
}

function stateName(state: TenantState): string {
  return state === TenantState.SUSPENDED ? "suspended" : "active";
}

function isoOf(ms: bigint): string {
  return new Date(Number(ms)).toISOString();
}
