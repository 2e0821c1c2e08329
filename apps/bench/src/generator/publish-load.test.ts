import { describe, expect, it } from "vitest";
import { ChannelPublishers } from "./channel-publishers.ts";
import type { Pace } from "./generator-protocol.ts";
import { PublishLoad } from "./publish-load.ts";

const FAN_OUT = 10;

function loadAt(pace: Pace): { load: PublishLoad; publishers: ChannelPublishers; deliver: (count: number) => void } {
  let delivered = 500;
  const publishers = new ChannelPublishers([], []);
  const load = new PublishLoad({ publishers, delivered: () => delivered, fanOut: FAN_OUT }, pace, 0);
  return {
    load,
    publishers,
    deliver: (count) => {
      delivered += count;
    },
  };
}

describe("PublishLoad", () => {
  it("given some that may be outstanding, when deliveries come, then each whole publication makes room for the next", () => {
    const { load, deliver } = loadAt({ kind: "outstanding", count: 3 });
    expect(load.turn(0)).toBe(3);
    expect(load.turn(1)).toBe(0);
    deliver(FAN_OUT - 1);
    expect(load.turn(2)).toBe(0);
    deliver(1);
    expect(load.turn(3)).toBe(1);
    deliver(2 * FAN_OUT + 5);
    expect(load.turn(4)).toBe(2);
  });

  it("given a second of silence, when it is over, then what is missing is lost, and publishing goes on", () => {
    const { load, deliver } = loadAt({ kind: "outstanding", count: 2 });
    expect(load.turn(0)).toBe(2);
    deliver(FAN_OUT);
    expect(load.turn(10)).toBe(1);
    deliver(4);
    expect(load.turn(20)).toBe(0);
    expect(load.turn(1_019)).toBe(0);
    expect(load.turn(1_020)).toBe(2);
    expect(load.lost).toBe(2 * FAN_OUT - 4);
  });

  it("given a rate, when time goes by, then as much is published as is due, and not all at once after a pause", () => {
    const { load, publishers } = loadAt({ kind: "rate", perSec: 100 });
    expect(load.turn(5)).toBe(0);
    expect(load.turn(10)).toBe(1);
    expect(load.turn(35)).toBe(2);
    expect(load.turn(10_000)).toBe(64);
    expect(publishers.published).toBe(67);
  });

  it("given a flood, when the next socket is full, then nothing goes out until it takes more, and not all at once", () => {
    const publishers = { isFull: false, publish: () => undefined };
    const load = new PublishLoad({ publishers, delivered: () => 0, fanOut: FAN_OUT }, { kind: "flood" }, 0);
    expect(load.turn(0)).toBe(4_096);
    publishers.isFull = true;
    expect(load.turn(1)).toBe(0);
    publishers.isFull = false;
    expect(load.turn(2)).toBe(4_096);
  });
});
