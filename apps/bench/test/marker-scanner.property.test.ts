import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Opcode } from "../src/wire/client-frame.ts";
import { MarkerScanner } from "../src/wire/marker-scanner.ts";
import { blankPayload, MARKER, sequenceAt, STAMP_BYTES, timeAt, writeStamp } from "../src/wire/stamp.ts";
import { StampedFrame } from "../src/wire/stamped-frame.ts";

const PAYLOAD_BYTES = 40;

/** A frame's body: something before each payload, and something behind the last. */
function bodyOf(gaps: readonly string[], end: string): Buffer {
  return Buffer.from(gaps.map((gap) => gap + blankPayload(PAYLOAD_BYTES)).join("") + end);
}

const gap = fc.string({ unit: fc.constantFrom("x", "~", "P", "0"), maxLength: 30 });

describe("MarkerScanner", () => {
  it("given frames with payloads at any places, when they are scanned, then each payload is found once", () => {
    const frames = fc.array(fc.record({ gaps: fc.array(gap, { maxLength: 5 }), end: gap }), { maxLength: 8 });
    fc.assert(
      fc.property(frames, (bodies) => {
        const scanner = new MarkerScanner(PAYLOAD_BYTES);
        for (const { gaps, end } of bodies) {
          const body = bodyOf(gaps, end);
          const places: number[] = [];
          const count = scanner.scan(body, { start: 0, end: body.length }, (at) => places.push(at));
          const expected = [...body.toString().matchAll(new RegExp(MARKER, "g"))].map(({ index }) => index);
          expect(places).toEqual(expected);
          expect(count).toBe(gaps.length);
        }
      }),
    );
  });

  it("given a range within a buffer, when it is scanned, then nothing outside is found", () => {
    const body = bodyOf(["", "", ""], "");
    const places: number[] = [];
    const range = { start: PAYLOAD_BYTES, end: 2 * PAYLOAD_BYTES };
    new MarkerScanner(PAYLOAD_BYTES).scan(body, range, (at) => places.push(at));
    expect(places).toEqual([PAYLOAD_BYTES]);
  });
});

describe("stamps", () => {
  it("given any time and number, when they are written, then the same are read", () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 48 - 1 }), fc.nat({ max: 2 ** 24 - 1 }), (timeUs, sequence) => {
        const payload = Buffer.from(`ab${blankPayload(60)}`);
        writeStamp(payload, 2, { timeUs, sequence });
        expect([timeAt(payload, 2), sequenceAt(payload, 2)]).toEqual([timeUs, sequence]);
        expect(JSON.stringify(payload.toString())).toBe(`"${payload.toString()}"`);
      }),
    );
  });

  it("given a size below a stamp, when a payload is made, then it has the size of a stamp", () => {
    expect(blankPayload(1)).toHaveLength(STAMP_BYTES);
    expect(blankPayload(2048)).toHaveLength(2048);
  });
});

describe("StampedFrame", () => {
  it("given any place of the payload, when frames are stamped, then each carries its own stamp, unmasked", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme-ascii", maxLength: 200 }),
        fc.nat({ max: 2 ** 24 - 1 }),
        (prefix, sequence) => {
          fc.pre(!prefix.includes("~"));
          const frame = new StampedFrame(Opcode.binary, Buffer.from(prefix + blankPayload(30)));
          const first = frame.stamped({ timeUs: 1, sequence });
          const second = frame.stamped({ timeUs: 2, sequence: 0 });
          const [a, b] = [unmasked(first), unmasked(second)];
          const at = a.indexOf(MARKER);
          expect([timeAt(a, at), sequenceAt(a, at), timeAt(b, at)]).toEqual([1, sequence, 2]);
          expect(a.toString("utf8", 0, at)).toBe(prefix);
        },
      ),
    );
  });

  it("given a body without a payload, when a frame is made of it, then it is refused", () => {
    expect(() => new StampedFrame(Opcode.binary, Buffer.from("nothing"))).toThrow("no marker");
  });
});

function unmasked(frame: Buffer): Buffer {
  const header = ((frame[1] ?? 0) & 0x7f) < 126 ? 6 : 8;
  const mask = frame.subarray(header - 4, header);
  return Buffer.from(frame.subarray(header).map((byte, i) => byte ^ (mask[i & 3] ?? 0)));
}
