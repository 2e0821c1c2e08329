/** The label of all tenants that have none of their own. */
export const OTHER_TENANTS = "other";

/**
 * A closed set of label values for an open set of tenants: the first `max` that are counted have their own for as long
 * as the process lives, so that counters never go back; the rest share one.
 */
export class TenantLabels {
  readonly #max: number;
  readonly #labelled = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  of(tenant: string): string {
    if (this.#labelled.has(tenant)) return tenant;
    if (this.#labelled.size >= this.#max) return OTHER_TENANTS;
    this.#labelled.add(tenant);
    return tenant;
  }
}

/** The `max` largest values under their own names, and the sum of the rest. */
export function topTenants(values: Iterable<readonly [string, number]>, max: number): Map<string, number> {
  const sorted = [...values].toSorted((a, b) => b[1] - a[1]);
  const top = new Map(sorted.slice(0, max));
  const rest = sorted.slice(max).reduce((sum, [, value]) => sum + value, 0);
  // A tenant may be called as the rest is.
  if (rest > 0) top.set(OTHER_TENANTS, rest + (top.get(OTHER_TENANTS) ?? 0));
  return top;
}
