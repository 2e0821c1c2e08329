import { describe, expect, it } from "vitest";
import { turn } from "../../test/scripted-server.ts";
import type { Element } from "../wire/frame-codec.ts";
import { FrameWriter } from "./frame-writer.ts";

describe("FrameWriter", () => {
  it("given elements of one turn, when it is over, then they are one frame, and those of the next another", async () => {
    const frames: Element[] = [];
    const writer = new FrameWriter("json", { maxBytes: 1000, maxMessages: 256 }, (frame) => frames.push(frame));
    writer.add("{}");
    writer.add('{"id":1}');
    expect(frames).toEqual([]);
    await turn();
    writer.add("{}");
    await turn();
    expect(frames).toEqual(['{"messages":[{},{"id":1}]}', '{"messages":[{}]}']);
  });

  it("given more than a frame may have, when they are written, then they are cut at the limits, in order", async () => {
    const frames: Uint8Array[] = [];
    const writer = new FrameWriter("proto", { maxBytes: 10, maxMessages: 3 }, (frame) =>
      frames.push(frame as Uint8Array),
    );
    for (const length of [2, 2, 2, 2, 4, 4, 4, 20, 1]) writer.add(new Uint8Array(length));
    await turn();
    expect(frames.map(({ length }) => length)).toEqual([6, 10, 4, 20, 1]);
  });

  it.each<[number[], number[]]>([
    [[20], [20]],
    [
      [20, 20],
      [20, 20],
    ],
  ])(
    "given elements of %j bytes, each larger than a frame, when they are written, then each is one",
    async (lengths, written) => {
      const frames: Uint8Array[] = [];
      const writer = new FrameWriter("proto", { maxBytes: 10, maxMessages: 3 }, (frame) =>
        frames.push(frame as Uint8Array),
      );
      for (const length of lengths) writer.add(new Uint8Array(length));
      await turn();
      expect(frames.map(({ length }) => length)).toEqual(written);
    },
  );

  it.each([
    [20, ["{}", "{}", "{}"]],
    [21, ["{},{}", "{}"]],
    [24, ["{},{},{}"]],
  ])("given JSON of at most %d bytes, when it is cut, then what is around it counts", async (maxBytes, written) => {
    const frames: Element[] = [];
    const writer = new FrameWriter("json", { maxBytes, maxMessages: 256 }, (frame) => frames.push(frame));
    for (let count = 0; count < 3; count++) writer.add("{}");
    await turn();
    expect(frames).toEqual(written.map((elements) => `{"messages":[${elements}]}`));
  });
});
