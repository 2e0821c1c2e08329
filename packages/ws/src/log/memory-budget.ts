import type { TenantLogs } from "./tenant-logs.ts";

/** The share of the bound that is freed at once, so that the search for the largest tenants is rare. */
const FREED_SHARE = 1 / 64;

/** The logs of a whole process, and what they are held to. */
export interface MemoryBudget {
  readonly tenants: Iterable<TenantLogs>;
  readonly totalBytes: number;
  readonly maxBytes: number;
  /** Keeps the chunk that it has just written to. */
  readonly publishing: TenantLogs;
}

/**
 * Holds the logs of the whole process under a bound: the largest tenants give their oldest chunks until they are level
 * with the next ones, which is to take from whoever is furthest above an equal share. What one cannot give, since it is
 * keys, the others do.
 */
export function holdTotal({ tenants, totalBytes, maxBytes, publishing }: MemoryBudget): void {
  let excess = totalBytes - maxBytes * (1 - FREED_SHARE);
  let giving = [...tenants];
  while (excess > 0 && giving.length > 0) {
    const bySize = giving.toSorted((a, b) => b.bytes - a.bytes);
    const level = levelFor(bySize, excess);
    for (const tenant of bySize) {
      while (excess > 0 && tenant.bytes > level) {
        const freed = tenant.evictOldest({ sparesNewest: tenant === publishing });
        if (freed === 0) break;
        excess -= freed;
      }
    }
    giving = bySize.filter(({ bytes }) => bytes > 0 && bytes <= level);
  }
}

/** The size down to which all larger ones together give so many bytes; 0 when all give all. */
function levelFor(bySize: readonly TenantLogs[], excess: number): number {
  let sum = 0;
  for (const [index, { bytes }] of bySize.entries()) {
    sum += bytes;
    const level = (sum - excess) / (index + 1);
    if (level >= (bySize[index + 1]?.bytes ?? 0)) return level;
  }
  return 0;
}
