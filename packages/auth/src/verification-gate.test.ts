import { ManualClock } from "@pm/core/testing";
import { describe, expect, it } from "vitest";
import { VerificationGate } from "./verification-gate.ts";

function gateOf(maxPending = 2) {
  const clock = new ManualClock();
  return { clock, gate: new VerificationGate<string>({ maxPending, timeoutMs: 5000 }, clock) };
}

describe("VerificationGate", () => {
  it("given a token that is being verified, when it comes again, then the work is done once", async () => {
    const { gate } = gateOf(1);
    const work = Promise.withResolvers<string>();
    const both = [gate.run("a", () => work.promise), gate.run("a", () => Promise.reject(new Error("twice")))];
    work.resolve("done");
    expect(await Promise.all(both)).toEqual(["done", "done"]);
  });

  it("given as many as may be, when another token comes, then it is told to try later, and its work is not begun", async () => {
    const { gate } = gateOf();
    const work = Promise.withResolvers<string>();
    const running = ["a", "b"].map((token) => gate.run(token, () => work.promise));
    await expect(gate.run("c", () => Promise.reject(new Error("begun")))).rejects.toMatchObject({
      code: "UNAVAILABLE",
      retryAfterMs: 1000,
    });
    work.resolve("done");
    await Promise.all(running);
    expect(await gate.run("c", () => Promise.resolve("later"))).toBe("later");
  });

  it("given work that takes too long, when its time is over, then it is given up, but keeps its place until it ends", async () => {
    const { clock, gate } = gateOf(1);
    const work = Promise.withResolvers<string>();
    const stuck = gate.run("a", () => work.promise);
    clock.advance(5000);
    await expect(stuck).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(gate.run("b", () => Promise.resolve("b"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
    work.resolve("late");
    await work.promise;
    await expect.poll(() => gate.pending).toBe(0);
  });

  it("given work that ends or fails, when it is over, then no timer and no place is left", async () => {
    const { clock, gate } = gateOf();
    await gate.run("a", () => Promise.resolve("a"));
    await expect(gate.run("b", () => Promise.reject(new Error("refused")))).rejects.toThrow("refused");
    expect([clock.pending, gate.pending]).toEqual([0, 0]);
  });
});
