import * as fc from "fast-check";

/** A varint in 1 to 12 bytes, often longer than it needs to be or cut off. */
const varint = fc
  .tuple(fc.constantFrom(0, 1, 2, 5, 10, 127, 128, 60_000, 2 ** 32 - 1), fc.nat({ max: 11 }))
  .map(([value, padding]) => {
    const bytes: number[] = [];
    let rest = value;
    do {
      bytes.push((rest & 0x7f) | 0x80);
      rest >>>= 7;
    } while (rest > 0);
    for (let i = 0; i < padding; i++) bytes.push(0x80);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) & 0x7f;
    return bytes;
  });

/** A tag of a field that pm.v1 knows or nearly knows, with any wire type, right or wrong. */
const tag = fc
  .tuple(fc.integer({ min: 0, max: 16 }), fc.integer({ min: 0, max: 7 }))
  .map(([field, wireType]) => [(field << 3) | wireType]);

const noise = fc.array(fc.nat({ max: 255 }), { maxLength: 8 });
const emptyMessages = fc.nat({ max: 400 }).map((count) => Array.from({ length: count }, () => [0x0a, 0x00]).flat());

/**
 * Bytes that look like a frame to a sloppy reader: tags, lengths that lie, numbers without end, many small messages.
 */
export const hostileBytes: fc.Arbitrary<Uint8Array> = fc
  .array(fc.oneof({ arbitrary: tag, weight: 4 }, { arbitrary: varint, weight: 3 }, noise, emptyMessages), {
    maxLength: 20,
  })
  .map((parts) => Uint8Array.from(parts.flat()));
