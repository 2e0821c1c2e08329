import * as fc from "fast-check";

/** Any string that JavaScript can hold: NUL, lone surrogates and fullwidth letters come often. */
export function anyString(maxLength = 40): fc.Arbitrary<string> {
  const unit = fc.oneof(
    { arbitrary: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)), weight: 2 },
    { arbitrary: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)), weight: 4 },
    {
      arbitrary: fc.constantFrom("\0", "\n", "\r", "\ud800", "\udc00", "Ａ", "０", "：", "＊", "\u0130", "\u202e", "é"),
      weight: 1,
    },
  );
  return fc.array(unit, { maxLength }).map((units) => units.join(""));
}

/** Strings of the alphabet, and such strings with one foreign unit put in: what a sloppy parser would let through. */
export function nearly(alphabet: string, maxLength: number): fc.Arbitrary<string> {
  const inside = fc
    .array(fc.constantFrom(...alphabet.split("")), { minLength: 1, maxLength })
    .map((characters) => characters.join(""));
  const spoiled = fc.tuple(inside, anyString(2), fc.nat()).map(([text, foreign, place]) => {
    const at = place % (text.length + 1);
    return text.slice(0, at) + foreign + text.slice(at);
  });
  return fc.oneof(inside, spoiled);
}
