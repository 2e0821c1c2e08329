import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PublicationQueue } from "./publication-queue.ts";

const steps = fc.array(fc.constantFrom("push", "push", "take"), { maxLength: 200, size: "max" });

describe("PublicationQueue", () => {
  it("given any pushes and takes, when pushing ends at `full` and goes on at `drained`, then nothing is lost, in order, within the bound", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), steps, async (maxItems, taken) => {
        let isOpen = true;
        let pushed = 0;
        const got: Promise<IteratorResult<number, undefined>>[] = [];
        const queue = new PublicationQueue<number>({
          maxItems,
          onFull: () => (isOpen = false),
          onDrained: () => (isOpen = true),
          onReturn: () => undefined,
        });
        for (const step of taken) {
          if (step === "take") got.push(queue.next());
          else if (isOpen) queue.push(pushed++);
          expect(pushed - got.length).toBeLessThanOrEqual(maxItems);
        }
        queue.finish();
        const results = await Promise.all(got);
        const values = results.filter(({ done }) => done !== true).map(({ value }) => value);
        expect(values).toEqual(Array.from({ length: Math.min(got.length, pushed) }, (_, index) => index));
      }),
    );
  });
});
