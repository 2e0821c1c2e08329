import { ManualClock } from "@pm/core/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { PendingReplies } from "./pending-replies.ts";

describe("PendingReplies", () => {
  let clock: ManualClock;
  let replies: PendingReplies;
  let told: string[];

  beforeEach(() => {
    clock = new ManualClock();
    replies = new PendingReplies(clock, 1000);
    told = [];
  });

  function add(name: string): number {
    const id = replies.nextId;
    replies.add(({ kind }) => told.push(`${name} ${kind}`));
    return id;
  }

  it("given commands one after the other, when none is answered, then each has the same time", () => {
    add("a");
    clock.advance(400);
    add("b");
    clock.advance(599);
    expect(told).toEqual([]);
    clock.advance(1);
    expect(told).toEqual(["a timeout"]);
    clock.advance(399);
    add("c");
    expect(told).toEqual(["a timeout"]);
    clock.advance(1);
    expect(told).toEqual(["a timeout", "b timeout"]);
    clock.advance(999);
    expect(told).toEqual(["a timeout", "b timeout", "c timeout"]);
    expect(clock.pending).toBe(0);
  });

  it("given an answer, when it comes again or late, then it is told once", () => {
    const id = add("a");
    for (let count = 0; count < 2; count++) replies.settle(id, { kind: "answer", body: undefined });
    clock.advance(5000);
    replies.settle(id, { kind: "answer", body: undefined });
    expect(told).toEqual(["a answer"]);
  });

  it("given commands that wait, when all is lost, then each is told once and no timer is left", () => {
    const id = add("a");
    add("b");
    replies.lose(1006);
    replies.settle(id, { kind: "answer", body: undefined });
    expect([told, clock.pending]).toEqual([["a lost", "b lost"], 0]);
  });
});
