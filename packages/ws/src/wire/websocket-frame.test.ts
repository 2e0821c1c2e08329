import { expect, test } from "vitest";
import { FIN_BINARY, frameElements, headerSize, whole, writeHeader } from "./websocket-frame.ts";

test.each([
  [0, "8200"],
  [125, "827d"],
  [126, "827e007e"],
  [65_535, "827effff"],
  [65_536, "827f0000000000010000"],
  [2 ** 32 + 5, "827f0000000100000005"],
])("given %i bytes of content, when the header is written, then it is that of RFC 6455", (length, header) => {
  const frame = Buffer.alloc(10);
  expect(writeHeader(frame, 0, { first: FIN_BINARY, length })).toBe(header.length / 2);
  expect(headerSize(length)).toBe(header.length / 2);
  expect(frame.toString("hex", 0, headerSize(length))).toBe(header);
});

test("given elements in binary, when they are framed, then they follow each other under one header", () => {
  const frame = frameElements([whole(Buffer.from("ab")), whole(Buffer.from("cde"))], "proto");
  expect(frame.bytes.toString("latin1")).toBe("\x82\x05abcde");
  expect(frame).toMatchObject({ start: 2, end: 7, isFrame: true });
});

test.each([
  [["{}"], '{"messages":[{}]}'],
  [['{"a":1}', '{"b":2}', "{}"], '{"messages":[{"a":1},{"b":2},{}]}'],
])("given elements %j in JSON, when they are framed, then commas and the frame are put around them", (texts, text) => {
  const frame = frameElements(
    texts.map((element) => whole(Buffer.from(element))),
    "json",
  );
  expect(frame.bytes[0]).toBe(0x81);
  expect(frame.bytes[1]).toBe(text.length);
  expect(frame.bytes.toString("utf8", 2)).toBe(text);
  expect(frame.bytes.toString("utf8", frame.start, frame.end)).toBe(texts.join(","));
});

test.each(["proto", "json"] as const)(
  "given frames in %s, when they are framed again, then only their elements are taken over",
  (encoding) => {
    const elements = ['{"a":1}', '{"b":2}', '{"c":3}'].map((text) => whole(Buffer.from(text)));
    const inner = frameElements(elements.slice(0, 2), encoding);
    const outer = frameElements([inner, ...elements.slice(2)], encoding);
    expect(outer.bytes).toEqual(frameElements(elements, encoding).bytes);
  },
);

test("given content at the edge of a header size, when it is framed, then nothing is lost or left over", () => {
  for (const length of [125, 126, 65_535, 65_536]) {
    const content = Buffer.alloc(length, 0x61);
    const frame = frameElements([whole(content)], "proto");
    expect(frame.bytes.length).toBe(headerSize(length) + length);
    expect(frame.bytes.subarray(frame.start, frame.end).equals(content)).toBe(true);
  }
});
