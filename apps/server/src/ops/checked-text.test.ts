import { describe, expect, it } from "vitest";
import { boundedText, userId } from "./checked-text.ts";

describe("boundedText", () => {
  it.each(["", "a", "a".repeat(8), "žlutý 😀".slice(0, 5), "😀😀"])(
    "given %j of at most 8 bytes, when it is checked, then it is taken",
    (text) => {
      expect(boundedText("event", text, 8)).toBe(text);
    },
  );

  it.each([
    ["a".repeat(9), "event has 9 bytes (at most 8)"],
    ["ééééé", "event has 10 bytes (at most 8)"],
    ["a\ud800", "event has a lone surrogate"],
  ])("given %j, when it is checked, then it is refused with the field", (text, message) => {
    expect(() => boundedText("event", text, 8)).toThrow(
      expect.objectContaining({ code: "INVALID_MESSAGE", field: "event", message }),
    );
  });
});

describe("userId", () => {
  it("given 1 to 128 bytes, when they are checked, then they are taken, and no others", () => {
    expect([userId("u"), userId("u".repeat(128))]).toEqual(["u", "u".repeat(128)]);
    for (const text of ["", "u".repeat(129)]) {
      expect(() => userId(text)).toThrow(expect.objectContaining({ code: "INVALID_MESSAGE", field: "user_id" }));
    }
  });
});
