import * as fc from "fast-check";
import { expect, it } from "vitest";
import { readUniqueJson } from "./unique-json.ts";

it("given any JSON value, when its text is read, then the value comes back", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(3), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      expect(readUniqueJson(Buffer.from(text))).toEqual({ kind: "value", value: JSON.parse(text) });
    }),
  );
});

it("given an object and one of its keys again, when it is read, then it is refused", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue(), { minKeys: 1 }),
      fc.nat(),
      (object, n) => {
        const keys = Object.keys(object);
        const again = JSON.stringify(keys[n % keys.length]);
        const text = `${JSON.stringify(object).slice(0, -1)},${again}:0}`;
        expect(readUniqueJson(Buffer.from(text))).toEqual({ kind: "refused", reason: "an object has a key twice" });
      },
    ),
  );
});

it("given any bytes, when they are read, then there is an outcome and no exception", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(["value", "refused"]).toContain(readUniqueJson(bytes).kind);
    }),
  );
});
