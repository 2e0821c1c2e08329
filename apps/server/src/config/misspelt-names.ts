import { editDistance } from "./edit-distance.ts";

/** An environment variable that was probably meant as a setting. */
export interface MisspeltName {
  readonly given: string;
  readonly meant: string;
}

const MAX_EDITS = 2;
/** Names shorter than this are near others by chance: `API_KEY` is two edits from `OPS_KEY`. They get one edit. */
const LONG_NAME = 8;

/**
 * Finds names that are within two edits of a known one, or differ from it in case alone, and are not known themselves.
 * Below eight characters one edit counts. A name that is near several belongs to the nearest.
 */
export function misspeltNames(given: readonly string[], known: readonly string[]): MisspeltName[] {
  const found: MisspeltName[] = [];
  for (const name of given) {
    const meant = known.includes(name) ? undefined : nearest(name, known);
    if (meant !== undefined) found.push({ given: name, meant });
  }
  return found;
}

function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) > MAX_EDITS) continue;
    const edits = editDistance(name.toUpperCase(), candidate);
    const allowed = Math.min(name.length, candidate.length) < LONG_NAME ? 1 : MAX_EDITS;
    if (edits <= allowed && edits < least) {
      best = candidate;
      least = edits;
    }
  }
  return best;
}
