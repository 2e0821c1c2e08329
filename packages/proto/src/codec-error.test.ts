import { CodedError } from "@pm/core";
import { describe, expect, it } from "vitest";
import { CodecError } from "./codec-error.ts";

describe("CodecError", () => {
  it("given a reason and a cause, when a frame is undecodable, then the message has the reason and the error its cause", () => {
    const cause = new Error("inner");
    const error = CodecError.undecodable("it is text", { cause });
    expect(error).toMatchObject({ code: "DECODE_ERROR", message: "not decodable: it is text", cause });
    expect(error).toBeInstanceOf(CodedError);
    expect(error.name).toBe("CodecError");
  });

  it("given a budget, when a frame is over it, then the message names what and how many", () => {
    expect(CodecError.overBudget("messages", 256)).toMatchObject({
      code: "DECODE_ERROR",
      message: "more than 256 messages",
    });
  });

  it("given a cause, when a message is unencodable, then the error carries it", () => {
    const cause = new RangeError("inner");
    expect(CodecError.unencodable(cause)).toMatchObject({ code: "ENCODE_ERROR", cause });
  });
});
