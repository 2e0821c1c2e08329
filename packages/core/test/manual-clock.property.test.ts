import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../src/testing/manual-clock.ts";

interface Firing {
  readonly timer: number;
  readonly atMs: number;
}

/** Sets one timer for each delay and says who fired when. */
function record(delays: readonly number[], steps: readonly number[]): { clock: ManualClock; firings: Firing[] } {
  const clock = new ManualClock();
  const firings: Firing[] = [];
  for (const [timer, delay] of delays.entries()) {
    clock.after(delay, () => firings.push({ timer, atMs: clock.monotonic() }));
  }
  for (const step of steps) clock.advance(step);
  return { clock, firings };
}

const delays = fc.array(fc.nat({ max: 50 }), { maxLength: 12 });
const steps = fc.array(fc.nat({ max: 20 }), { maxLength: 8 });
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

describe("ManualClock", () => {
  it("given timers, when time moves on in any steps, then exactly those due have fired, in order, at their own times", () => {
    fc.assert(
      fc.property(delays, steps, (waits, moves) => {
        const { clock, firings } = record(waits, moves);
        const due = waits
          .map((atMs, timer) => ({ timer, atMs }))
          .filter(({ atMs }) => moves.length > 0 && atMs <= sum(moves))
          .toSorted((a, b) => a.atMs - b.atMs || a.timer - b.timer);
        expect(firings).toEqual(due);
        expect(clock.pending).toBe(waits.length - due.length);
      }),
    );
  });

  it("given timers, when time moves on in two steps or in their sum, then the same is seen", () => {
    fc.assert(
      fc.property(delays, fc.nat({ max: 40 }), fc.nat({ max: 40 }), (waits, a, b) => {
        const inTwo = record(waits, [a, b]);
        const inOne = record(waits, [a + b]);
        expect(inTwo.firings).toEqual(inOne.firings);
        expect(inTwo.clock.now()).toBe(inOne.clock.now());
      }),
    );
  });

  it("given an interval, when time moves on, then it has fired once for each whole period", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), steps, (period, moves) => {
        const clock = new ManualClock();
        const firedAt: number[] = [];
        clock.every(period, () => firedAt.push(clock.monotonic()));
        for (const move of moves) clock.advance(move);
        expect(firedAt).toEqual(Array.from({ length: Math.floor(sum(moves) / period) }, (_, i) => (i + 1) * period));
      }),
    );
  });

  it("given callbacks that move time on themselves, when it is read, then both of its readings never go back", () => {
    fc.assert(
      fc.property(delays, steps, (waits, moves) => {
        const clock = new ManualClock();
        const seen: number[] = [];
        const look = (): void => {
          expect(clock.now() - 1_700_000_000_000).toBe(clock.monotonic());
          seen.push(clock.monotonic());
        };
        for (const wait of waits) {
          clock.after(wait, () => {
            look();
            clock.advance(wait);
            look();
          });
        }
        for (const move of moves) {
          clock.advance(move);
          look();
        }
        expect(seen).toEqual(seen.toSorted((a, b) => a - b));
      }),
    );
  });

  it("given some timers cancelled, when time moves on, then they stay silent and the others fire", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 50 }), fc.boolean()), { maxLength: 12 }), (timers) => {
        const clock = new ManualClock();
        const fired: number[] = [];
        for (const [timer, [delay, cancelled]] of timers.entries()) {
          const cancel = clock.after(delay, () => fired.push(timer));
          if (cancelled) cancel();
        }
        clock.advance(50);
        const kept = timers.flatMap(([, cancelled], timer) => (cancelled ? [] : [timer]));
        expect(fired.toSorted((a, b) => a - b)).toEqual(kept);
        expect(clock.pending).toBe(0);
      }),
    );
  });
});
