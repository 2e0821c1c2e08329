/** Characters of the longest string that is kept. */
const MAX_LENGTH = 64;

/**
 * Strings that come again and again: instead of being made anew from its bytes, a name is the string that it was before,
 * which every map has hashed and can tell by where it is. Each has one place, by its hash, and the last that came has
 * it: no name costs more than another, whoever chooses them.
 */
export class StringCache {
  readonly #places: (string | undefined)[];
  readonly #lastPlace: number;

  /** @param places how many strings are kept at the most: a power of two */
  constructor(places = 8_192) {
    this.#places = Array.from({ length: places }, () => undefined);
    this.#lastPlace = places - 1;
  }

  /** What bytes say in ASCII; undefined where one is above 127, and for more than 64. */
  ofAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
    if (end - start > MAX_LENGTH) return undefined;
    let hash = 0;
    let all = 0;
    for (let at = start; at < end; at++) {
      const byte = bytes[at] ?? 0;
      hash = Math.imul(hash, 31) + byte;
      all |= byte;
    }
    if (all > 127) return undefined;
    const place = hash & this.#lastPlace;
    const known = this.#places[place];
    if (known !== undefined && says(known, bytes, start, end)) return known;
    const text = String.fromCharCode(...bytes.subarray(start, end));
    this.#places[place] = text;
    return text;
  }

  /** The string that says the same; where there is none, this one, from now on. */
  of(text: string): string {
    if (text.length > MAX_LENGTH) return text;
    let hash = 0;
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash, 31) + text.charCodeAt(at);
    const place = hash & this.#lastPlace;
    const known = this.#places[place];
    if (known === text) return known;
    this.#places[place] = text;
    return text;
  }
}

function says(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let at = start; at < end; at++) if (bytes[at] !== text.charCodeAt(at - start)) return false;
  return true;
}
