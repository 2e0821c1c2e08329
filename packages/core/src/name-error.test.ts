import { describe, expect, it } from "vitest";
import { NameError } from "./name-error.ts";

describe("NameError", () => {
  it("given a string outside a grammar, when the error is made, then its message names the value and the grammar", () => {
    const error = NameError.outsideGrammar("channel", "a b", "1 to 200 of A-Z");
    expect(error.message).toBe('channel "a b" is not 1 to 200 of A-Z');
    expect(error).toMatchObject({ code: "INVALID_NAME", field: "channel", name: "NameError" });
  });

  it("given a long string, when the error is made, then the message stays short and tells the length", () => {
    const error = NameError.outsideGrammar("channel", "x".repeat(10_000), "a name");
    expect(error.message.length).toBeLessThan(150);
    expect(error.message).toContain("(10000 characters)");
  });

  it("given control characters and a lone surrogate, when the error is made, then they are escaped in the message", () => {
    const error = NameError.outsideGrammar("channel", "a\r\n\u001b[31m\ud800", "a name");
    expect(error.message).toBe('channel "a\\r\\n\\u001b[31m\\ud800" is not a name');
  });

  it("given no string, when the error is made, then only its type is told", () => {
    expect(NameError.outsideGrammar("tenant_id", { secret: 1 }, "a name").message).toBe(
      "tenant_id of type object is not a name",
    );
  });
});
