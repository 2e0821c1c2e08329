import { describe, expect, it } from "vitest";
import { Emitter } from "./emitter.ts";

describe("Emitter", () => {
  it("given a listener that was given twice, when one of them is ended, then the other is called", () => {
    const emitter = new Emitter<{ readonly event: number }>();
    const seen: number[] = [];
    const listener = (event: number): number => seen.push(event);
    const unlisten = emitter.on("event", listener);
    emitter.on("event", listener);
    emitter.emit("event", 1);
    unlisten();
    emitter.emit("event", 2);
    expect(seen).toEqual([1, 1, 2]);
  });

  it("given a listener that ends another and brings one more, when the event is told, then neither is called for it", () => {
    const emitter = new Emitter<{ readonly event: number }>();
    const seen: string[] = [];
    emitter.on("event", (event) => {
      endSecond();
      if (event === 1) emitter.on("event", (later) => seen.push(`third ${later}`));
    });
    const endSecond = emitter.on("event", (event) => seen.push(`second ${event}`));
    emitter.emit("event", 1);
    emitter.emit("event", 2);
    expect(seen).toEqual(["third 2"]);
  });
});
