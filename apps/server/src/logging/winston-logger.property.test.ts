import { Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WinstonLogger } from "./winston-logger.ts";

const UNSAFE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;
const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  withUnicodeString: true,
});
/** Characters that end lines, move the cursor, turn text round or are halves of one. */
const nasty = fc.string({
  unit: fc.constantFrom("a", "\n", "\r", "\u001b", "\u0000", "\u009b", "\u202e", "\u2028", "\ud800", "\udc00"),
});

function linesOf(colored: boolean, log: (logger: WinstonLogger) => void): string[] {
  const chunks: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  log(new WinstonLogger({ level: "debug", colored, stream }));
  return chunks;
}

describe("laws of the log", () => {
  it("given any event and fields at any level when it is written then it is one line of JSON without unsafe characters", () => {
    const level = fc.constantFrom("debug", "info", "warn", "error");
    fc.assert(
      fc.property(
        level,
        fc.oneof(nasty, fc.string()),
        fc.dictionary(fc.oneof(nasty, fc.string()), anything),
        (at, event, fields) => {
          const [line = "", ...others] = linesOf(false, (logger) => logger[at](event, fields));
          expect(others).toEqual([]);
          expect(line.endsWith("\n")).toBe(true);
          expect(line.slice(0, -1)).not.toMatch(UNSAFE);
          expect(line).toMatch(/^\{"ts":"[^"]+","level":"[a-z]+","event":"/);
          expect(JSON.parse(line)).toMatchObject({ level: at });
        },
      ),
    );
  });

  it("given nasty strings in every field when it is written as text then only its own colours are unsafe", () => {
    fc.assert(
      fc.property(nasty, nasty, nasty, (event, key, value) => {
        const fields = { [key]: value, nested: { [key]: [value] }, error: new Error(value) };
        const [line = "", ...others] = linesOf(true, (logger) => logger.error(event, fields));
        expect(others).toEqual([]);
        expect(stripVTControlCharacters(line.slice(0, -1))).not.toMatch(UNSAFE);
      }),
    );
  });

  it("given a token anywhere in the fields when it is written then it is not in the line", () => {
    const payload = "eyJzdWIiOiJ1c2VyLTEiLCJ0ZW5hbnRfaWQiOiJhY21lIn0";
    const token = `eyJhbGciOiJIUzI1NiJ9.${payload}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`;
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const text = before + token + after;
        const fields = {
          text,
          [text]: 1,
          list: [text],
          error: new Error(text, { cause: { text } }),
          map: new Map([[text, text]]),
        };
        for (const colored of [true, false]) {
          const line = linesOf(colored, (logger) => logger.error(text, fields)).join("");
          for (let i = 0; i + 8 <= payload.length; i++) expect(line).not.toContain(payload.slice(i, i + 8));
        }
      }),
    );
  });
});
