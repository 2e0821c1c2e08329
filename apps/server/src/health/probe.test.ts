import { ManualClock, RecordingLogger } from "@pm/core/testing";
import { describe, expect, it } from "vitest";
import { Probe } from "./probe.ts";

/** A part whose answers the test gives. */
class Part {
  readonly questions: PromiseWithResolvers<void>[] = [];

  readonly ask = (): Promise<void> => {
    const question = Promise.withResolvers<void>();
    this.questions.push(question);
    return question.promise;
  };

  async answer(index: number, error?: Error): Promise<void> {
    if (error === undefined) this.questions[index]?.resolve();
    else this.questions[index]?.reject(error);
    await new Promise(setImmediate);
  }
}

function probed(otherwise: "degraded" | "failed" = "failed") {
  const part = new Part();
  const clock = new ManualClock();
  // The machine has run for long when the process starts.
  clock.advance(1_000_000);
  const logger = new RecordingLogger();
  const probe = new Probe({ name: "part", ask: part.ask, otherwise }, { clock, logger });
  return { part, clock, logger, probe };
}

describe("Probe", () => {
  it("given a part, when it is started, then it waits for the first answer, and reports how long that took", async () => {
    const { part, clock, probe } = probed();
    clock.advance(1);
    expect(probe.report()).toEqual({ state: "ok", numbers: { round_trip_ms: 0, last_answer_ms_ago: 1 } });
    let hasStarted = false;
    const started = probe.start().then(() => {
      hasStarted = true;
    });
    await new Promise(setImmediate);
    expect(hasStarted).toBe(false);
    clock.advance(7);
    await part.answer(0);
    await started;
    clock.advance(5);
    expect(probe.report()).toEqual({ state: "ok", numbers: { round_trip_ms: 7, last_answer_ms_ago: 5 } });
    probe.close();
  });

  it("given it was started twice, when it is asked, then there is one question and one timer", async () => {
    const { part, clock, probe } = probed();
    const started = [probe.start(), probe.start()];
    await part.answer(0);
    await Promise.all(started);
    expect([part.questions.length, clock.pending]).toEqual([1, 1]);
    probe.close();
  });

  it("given an answer each time, when seconds pass, then one question a second is asked", async () => {
    const { part, clock, probe } = probed();
    const started = probe.start();
    for (let n = 0; n < 5; n += 1) {
      await part.answer(n);
      clock.advance(1_000);
    }
    await started;
    expect(part.questions).toHaveLength(6);
    probe.close();
    clock.advance(10_000);
    expect([part.questions.length, clock.pending]).toEqual([6, 0]);
  });

  it.each(["degraded", "failed"] as const)(
    "given a part that fails, when asked, then it is %s, logged once, and recovers",
    async (otherwise) => {
      const { part, clock, logger, probe } = probed(otherwise);
      const started = probe.start();
      await part.answer(0);
      await started;
      for (let n = 1; n <= 3; n += 1) {
        clock.advance(1_000);
        await part.answer(n, new Error("broken"));
        expect(probe.report().state).toBe(otherwise);
      }
      clock.advance(1_000);
      await part.answer(4);
      expect(probe.report().state).toBe("ok");
      expect(logger.lines.map(({ level, event }) => [level, event])).toEqual([
        ["error", "subsystem_failed"],
        ["info", "subsystem_recovered"],
      ]);
      probe.close();
    },
  );

  it("given no answer, when two seconds have passed, then it has failed, without a second question; a late answer makes it well", async () => {
    const { part, clock, probe } = probed();
    const started = probe.start();
    await part.answer(0);
    await started;
    clock.advance(1_000);
    clock.advance(1_999);
    expect(probe.report().state).toBe("ok");
    clock.advance(1);
    expect([probe.report().state, part.questions.length]).toEqual(["failed", 2]);
    await part.answer(1);
    expect(probe.report().state).toBe("ok");
    probe.close();
  });
});
