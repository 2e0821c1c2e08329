import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameScanner } from "../src/wire/frame-scanner.ts";
import { serverFrame } from "./server-frame.ts";

interface Seen {
  readonly opcode: number;
  readonly body: string;
}

const DATA = 2;

/** Collects what a scanner tells; data frames count as binary, since it does not tell their kind. */
function scan(chunks: readonly Buffer[]): { seen: Seen[]; rest: number; malformed: string[] } {
  const seen: Seen[] = [];
  const malformed: string[] = [];
  const scanner = new FrameScanner({
    data: (bytes, start, end) => seen.push({ opcode: DATA, body: bytes.toString("hex", start, end) }),
    control: (opcode, body) => seen.push({ opcode, body: body.toString("hex") }),
    malformed: (reason) => malformed.push(reason),
  });
  const shared = Buffer.alloc(200_000);
  for (const chunk of chunks) {
    chunk.copy(shared);
    scanner.push(shared, 0, chunk.length);
  }
  return { seen, rest: scanner.rest?.length ?? 0, malformed };
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  let start = 0;
  return ends.map((end) => {
    const part = bytes.subarray(start, end);
    start = end;
    return part;
  });
}

const body = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.constantFrom(125, 126, 127, 65_535, 65_536).map((size) => new Uint8Array(size).fill(7)),
);
const frame = fc.record({ opcode: fc.constantFrom(1, 2), body }).map(({ opcode, body: bytes }) => ({
  opcode,
  body: Buffer.from(bytes),
}));
const ping = fc.uint8Array({ maxLength: 125 }).map((bytes) => ({ opcode: 9, body: Buffer.from(bytes) }));

describe("FrameScanner", () => {
  it("given any frames cut at any places, when they are scanned, then every body is found once and in order", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(frame, ping), { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (frames, places) => {
          const bytes = Buffer.concat(frames.map(({ opcode, body: one }) => serverFrame(opcode, one)));
          const expected = frames.map(({ opcode, body: one }) => ({
            opcode: opcode === 9 ? 9 : DATA,
            body: one.toString("hex"),
          }));
          expect(scan(cut(bytes, places))).toEqual({ seen: expected, rest: 0, malformed: [] });
        },
      ),
    );
  });

  it("given any bytes, when they are scanned, then nothing is thrown, and nothing comes after what is malformed", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }), (chunks) => {
        const { malformed } = scan(chunks.map((chunk) => Buffer.from(chunk)));
        expect(malformed.length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("given a fragment, a masked frame, or one of a gigabyte, when it is scanned, then it is malformed", () => {
    const huge = Buffer.from([0x82, 127, 0, 0, 0, 0, 0x40, 0, 0, 0]);
    for (const bytes of [Buffer.from([0x02, 1, 1]), Buffer.from([0x82, 0x80, 1, 2, 3, 4]), huge]) {
      expect(scan([bytes]).malformed).toHaveLength(1);
    }
  });
});
