import * as fc from "fast-check";
import { expect, it } from "vitest";
import { StringCache } from "../src/string-cache.ts";

const anyText = fc.oneof(fc.string({ unit: "binary-ascii", maxLength: 70 }), fc.string({ unit: "binary" }));

// Whether a string is the one that was there before cannot be seen from JavaScript: it is measured by the bench.
it("given any texts, when each is asked for by its bytes and by itself, again and again, then it is what it says", () => {
  fc.assert(
    fc.property(fc.array(anyText, { maxLength: 30 }), fc.constantFrom(1, 4, 8192), (texts, places) => {
      const cache = new StringCache(places);
      for (const text of [...texts, ...texts]) {
        const bytes = new TextEncoder().encode(text);
        const isKept = bytes.length <= 64 && bytes.every((byte) => byte < 128);
        const around = Uint8Array.of(120, ...bytes, 121);
        expect(cache.ofAscii(around, 1, around.length - 1)).toBe(isKept ? text : undefined);
        expect(cache.of(text)).toBe(text);
      }
    }),
  );
});
