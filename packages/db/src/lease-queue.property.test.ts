import { parseTenantId, type TenantId } from "@pm/core";
import { ManualClock } from "@pm/core/testing";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DbError } from "./db-error.ts";
import { LeaseQueue } from "./lease-queue.ts";

const MAX_WAITING = 6;
const WAIT_MS = 100;

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), tenant: fc.constantFrom("a", "b", "c", "d") }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("room" as const), rooms: fc.integer({ min: 1, max: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("time" as const), ms: fc.integer({ min: 1, max: 150 }) }) },
);

interface Outcome {
  readonly tenant: TenantId;
  readonly askedAtMs: number;
  readonly results: unknown[];
}

describe("LeaseQueue", () => {
  it("given any coming and going, when all is over, then each was settled once, in turn, in time and within the bound", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const clock = new ManualClock();
        const outcomes: Outcome[] = [];
        const served: TenantId[] = [];
        let rooms = 0;
        const queue = new LeaseQueue({ maxWaiting: MAX_WAITING, waitTimeoutMs: WAIT_MS }, clock, (tenant) => {
          if (served.at(-1) === tenant) return tenant;
          if (rooms === 0) return undefined;
          rooms--;
          served.push(tenant);
          return tenant;
        });
        let places: TenantId[] = [];

        for (const next of steps) {
          if (next.kind === "wait") {
            const tenant = parseTenantId(next.tenant);
            if (!places.includes(tenant)) places.push(tenant);
            outcomes.push(follow(tenant, clock.monotonic(), queue.wait(tenant)));
          } else if (next.kind === "room") {
            rooms = next.rooms;
            queue.serve();
            expect(served.splice(0)).toEqual(places.slice(0, next.rooms));
            rooms = 0;
          } else {
            clock.advance(next.ms);
          }
          await settled();
          const waiting = outcomes.filter(({ results }) => results.length === 0);
          places = places.filter((place) => waiting.some(({ tenant }) => tenant === place));
          expect(waiting.length).toBe(queue.length);
          expect(queue.length).toBeLessThanOrEqual(MAX_WAITING);
          for (const { askedAtMs } of waiting) expect(clock.monotonic() - askedAtMs).toBeLessThan(WAIT_MS);
        }

        queue.refuseAll(DbError.closed("it"));
        await settled();
        for (const { tenant, results } of outcomes) {
          expect(results).toHaveLength(1);
          expect(results[0] === tenant || results[0] instanceof DbError).toBe(true);
        }
        expect(clock.pending).toBe(0);
      }),
    );
  });
});

function follow(tenant: TenantId, askedAtMs: number, wait: Promise<unknown>): Outcome {
  const results: unknown[] = [];
  wait.then(
    (lease) => results.push(lease),
    (error: unknown) => results.push(error),
  );
  return { tenant, askedAtMs, results };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await Promise.resolve();
}
