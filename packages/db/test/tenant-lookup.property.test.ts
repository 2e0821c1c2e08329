import { parseTenantId, type TenantId } from "@pm/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TenantDirectory, type TenantErrorCode, TenantLookup } from "../src/index.ts";
import { manualPorts } from "./manual-ports.ts";
import { TemporaryFolder } from "./temporary-folder.ts";

type Answer = "active" | TenantErrorCode;

const tenant = fc.constantFrom(...["a", "b", "c"].map(parseTenantId));
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("ask" as const), tenant }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom("create" as const, "suspend" as const, "resume" as const, "delete" as const),
      tenant,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("time" as const), ms: fc.nat(40_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait" as const) }) },
);

interface Asked {
  readonly tenant: TenantId;
  /** What was true when it was asked, and every change of it since. */
  readonly truths: Answer[];
  answer?: Answer;
}

describe("TenantLookup", () => {
  it("given changes and questions in any order, when it answers, then with what is true then, never with what was", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        using folder = new TemporaryFolder();
        const ports = manualPorts();
        await using directory = new TenantDirectory({ dataDir: folder.path }, ports);
        await directory.start();
        await using lookup = new TenantLookup(directory, { timeoutMs: 2 ** 31 - 1 }, ports);
        const truth = (id: TenantId): Promise<Answer> =>
          directory.get(id).then(
            ({ state }) => (state === "active" ? "active" : "TENANT_SUSPENDED"),
            (error: { code: TenantErrorCode }) => error.code,
          );
        const asked: Asked[] = [];
        const answers: Promise<unknown>[] = [];

        for (const next of steps) {
          if (next.kind === "time") ports.clock.advance(next.ms);
          else if (next.kind === "wait") await Promise.all(answers);
          else if (next.kind === "ask") {
            const question: Asked = { tenant: next.tenant, truths: [await truth(next.tenant)] };
            asked.push(question);
            answers.push(
              lookup.assertActive(next.tenant).then(
                ({ state }) => (question.answer = state === "active" ? "active" : "TENANT_SUSPENDED"),
                (error: { code: TenantErrorCode }) => (question.answer = error.code),
              ),
            );
          } else {
            await directory[next.kind](next.tenant).catch(() => undefined);
            const now = await truth(next.tenant);
            for (const question of asked) {
              if (question.tenant === next.tenant && question.answer === undefined) question.truths.push(now);
            }
          }
        }

        await Promise.all(answers);
        // Nothing was changed between the end of a question and its answer, so the answer is the last that was true.
        for (const { answer, truths } of asked) expect(truths.at(-1)).toBe(answer);
      }),
    );
  }, 60_000);
});
