import { describe, expect, it } from "vitest";
import { describeReturn } from "./describe-return.ts";

const BEFORE = { recovered: 5, missed: 2, isMissedUncertain: false };

describe("describeReturn", () => {
  it.each([
    [{ ...BEFORE, recovered: 25 }, "Acme is back. 20 publications came late, in order. Nothing is missed."],
    [{ ...BEFORE, recovered: 6 }, "Acme is back. 1 publication came late, in order. Nothing is missed."],
    [BEFORE, "Acme is back. Nothing is missed."],
    [{ ...BEFORE, missed: 1204 }, "Acme is back. 1,202 publications missed: the log no longer held them."],
    [{ ...BEFORE, isMissedUncertain: true }, "Acme is back. Some may be missed."],
  ])("given counts of %o when they are told then the difference is said", (now, sentence) => {
    expect(describeReturn("Acme", BEFORE, now)).toBe(sentence);
  });
});
