import { describe, expect, it } from "vitest";
import { clientFrame, clientHeaderSize, MASK, Opcode, textFrame } from "./client-frame.ts";

function unmasked(frame: Buffer): Buffer {
  const body = frame.subarray(clientHeaderSize(frame.length - 6));
  return Buffer.from(body.map((byte, i) => byte ^ (MASK[i & 3] ?? 0)));
}

describe("clientFrame", () => {
  it.each([
    { size: 0, header: [0x82, 0x80] },
    { size: 125, header: [0x82, 0xfd] },
    { size: 126, header: [0x82, 0xfe, 0, 126] },
    { size: 65_535, header: [0x82, 0xfe, 255, 255] },
    { size: 65_536, header: [0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0] },
  ])(
    "given a body of $size bytes, when it is framed, then its length and mask are in the header",
    ({ size, header }) => {
      const frame = clientFrame(Opcode.binary, Buffer.alloc(size));
      expect([...frame.subarray(0, header.length + 4)]).toEqual([...header, ...MASK]);
      expect(frame.length).toBe(clientHeaderSize(size) + size);
    },
  );

  it("given a text, when it is framed and unmasked, then it is the same", () => {
    const frame = textFrame("grüße");
    expect(frame[0]).toBe(0x81);
    expect(unmasked(frame).toString()).toBe("grüße");
  });
});
