import { describe, expect, it } from "vitest";
import { assertJsonBudget, assertMessageBudget } from "./json-budget.ts";
import { MAX_FRAME_FIELDS, MAX_FRAME_MESSAGES, MAX_JSON_DEPTH } from "./structure-budget.ts";

const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
const commas = (count: number): string => `[0${",0".repeat(count)}]`;
const frame = (count: number): unknown => ({ messages: Array.from({ length: count }, () => ({})) });

describe("assertJsonBudget", () => {
  it("given text of the greatest depth, when it is counted, then it passes, and one level more does not", () => {
    expect(() => assertJsonBudget(nested(MAX_JSON_DEPTH))).not.toThrow();
    expect(() => assertJsonBudget(nested(MAX_JSON_DEPTH + 1))).toThrow(/more than 8 levels/);
  });

  it("given text with the most elements, when it is counted, then it passes, and one more does not", () => {
    expect(() => assertJsonBudget(commas(2 * MAX_FRAME_FIELDS))).not.toThrow();
    expect(() => assertJsonBudget(commas(2 * MAX_FRAME_FIELDS + 1))).toThrow(/more than 4096 fields/);
  });

  it.each([
    ["brackets", JSON.stringify("[".repeat(100))],
    ["commas and colons", JSON.stringify(",:".repeat(10_000))],
    ["escaped quotes", JSON.stringify(`"${"[".repeat(100)}"`)],
    ["escaped backslashes before a quote", JSON.stringify(`\\"\\\\${"{".repeat(100)}`)],
  ])("given a string with %s in it, when it is counted, then what is inside does not count", (_, text) => {
    expect(() => assertJsonBudget(text)).not.toThrow();
  });

  it("given brackets after a string that ends in a backslash pair, when it is counted, then they count", () => {
    expect(() => assertJsonBudget(`["\\\\",${"[".repeat(MAX_JSON_DEPTH)}`)).toThrow(/levels/);
  });
});

describe("assertMessageBudget", () => {
  it("given a frame, when it has the most messages, then it passes, and one more does not", () => {
    expect(() => assertMessageBudget(frame(MAX_FRAME_MESSAGES))).not.toThrow();
    expect(() => assertMessageBudget(frame(MAX_FRAME_MESSAGES + 1))).toThrow(/more than 256 messages/);
  });

  it.each([null, 1, "messages", [], {}, { messages: 7 }])(
    "given %j, which is no frame, when it is counted, then it passes",
    (value) => {
      expect(() => assertMessageBudget(value)).not.toThrow();
    },
  );
});
