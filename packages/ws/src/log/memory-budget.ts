import type { TenantLogs } from "./tenant-logs.ts";

/** The share of the bound that is freed at once, so that the search for the largest tenant is rare. */
const FREED_SHARE = 1 / 64;

/**
 * Holds the logs of the whole process under a bound: takes from the tenant that is furthest above an equal share, which
 * is the largest one, its oldest entry first.
 */
export function holdTotal(tenants: Iterable<TenantLogs>, totalBytes: number, maxBytes: number): void {
  const target = maxBytes * (1 - FREED_SHARE);
  const bySize = [...tenants].toSorted((a, b) => b.bytes - a.bytes);
  let total = totalBytes;
  for (const [index, tenant] of bySize.entries()) {
    // Down to the size of the next one, then on with both: the largest is always the one that gives.
    const next = bySize[index + 1]?.bytes ?? 0;
    total -= shrink(bySize.slice(0, index + 1), { excess: total - target, floor: next });
    if (total <= target || tenant.bytes === 0) return;
  }
}

function shrink(tenants: readonly TenantLogs[], goal: { readonly excess: number; readonly floor: number }): number {
  let freed = 0;
  let progress = true;
  while (freed < goal.excess && progress) {
    progress = false;
    for (const tenant of tenants) {
      if (tenant.bytes <= goal.floor || freed >= goal.excess) continue;
      const bytes = tenant.evictOldest();
      freed += bytes;
      progress ||= bytes > 0;
    }
  }
  return freed;
}
