import { describe, expect, it, vi } from "vitest";
import { CodedError } from "./coded-error.ts";

class TestError extends CodedError<"LIMIT" | "OTHER"> {
  static limit(current: number, max: number): TestError {
    return new TestError("LIMIT", `has ${current} (max ${max})`);
  }

  /** Made by the class it is called on, as a factory of a base class would be. */
  static inherited(): TestError {
    return new this("OTHER", "inherited");
  }

  static async later(): Promise<TestError> {
    await Promise.resolve();
    return new TestError("OTHER", "later");
  }
}

class NarrowError extends TestError {}

/** The line on which it is called, counted by another error. */
function callerLine(): number {
  const frame = (new Error("here").stack ?? "").split("\n")[2] ?? "";
  return Number(/:(\d+):\d+\)?$/.exec(frame)?.[1]);
}

describe("CodedError", () => {
  it("given all details, when it is made, then it carries them", () => {
    const cause = new Error("inner");
    const error = new CodedError("CODE", "message", { cause, field: "channel", retryAfterMs: 5 });
    expect(error).toMatchObject({ code: "CODE", message: "message", cause, field: "channel", retryAfterMs: 5 });
    expect(error).toBeInstanceOf(Error);
  });

  it("given no details, when it is made, then it has no cause of its own", () => {
    const error = new CodedError("CODE", "message");
    expect(Object.hasOwn(error, "cause")).toBe(false);
    expect([error.field, error.retryAfterMs]).toEqual([undefined, undefined]);
  });

  it("given a subclass, when its name is asked, then it is that of the class, in the stack too", () => {
    expect(TestError.limit(2, 1).name).toBe("TestError");
    expect(TestError.limit(2, 1).stack).toMatch(/^TestError: has 2 \(max 1\)\n/);
  });
});

describe("CodedError.location", () => {
  it("given a stack that is not text, when the location is read, then there is none", () => {
    const restore = vi.spyOn(Error, "prepareStackTrace").mockImplementation((_, frames) => frames);
    try {
      expect(TestError.limit(2, 1).location).toBeUndefined();
    } finally {
      restore.mockRestore();
    }
  });

  it("given a constructor call, when the location is read, then it is the line of the call", () => {
    const [error, line] = [new CodedError("CODE", "message"), callerLine()];
    expect(error.location).toMatchObject({ file: expect.stringContaining("coded-error.test.ts"), line });
  });

  it("given a static factory, when the location is read, then it is the line that called the factory", () => {
    const [error, line] = [TestError.limit(2, 1), callerLine()];
    expect(error.location?.line).toBe(line);
  });

  it("given a factory inherited from a base class, when the location is read, then it is the caller's line", () => {
    const [error, line] = [NarrowError.inherited(), callerLine()];
    expect(error.location?.line).toBe(line);
  });

  it("given an error raised in an async function after a wait, when the location is read, then it is that line", async () => {
    let line = 0;
    const raise = async (): Promise<TestError> => {
      await Promise.resolve();
      line = callerLine() + 1;
      return TestError.limit(2, 1);
    };
    expect((await raise()).location?.line).toBe(line);
  });

  it("given an async factory, when the location is read, then it is the line that awaited it", async () => {
    const line = callerLine() + 1;
    const error = await TestError.later();
    expect(error.location).toMatchObject({ file: expect.stringContaining("coded-error.test.ts"), line });
  });

  it("given an error raised in a constructor of another class, when the location is read, then it is in there", () => {
    let line = 0;
    class Session {
      readonly error: TestError;
      constructor() {
        line = callerLine() + 1;
        this.error = TestError.limit(2, 1);
      }
    }
    expect(new Session().error.location?.line).toBe(line);
  });

  it("given a message that looks like a stack, when the location is read, then the message is not believed", () => {
    const [error, line] = [new CodedError("CODE", "x\n    at evil (file:///evil.js:1:2)"), callerLine()];
    expect(error.location).toMatchObject({ file: expect.stringContaining("coded-error.test.ts"), line });
  });

  it("given no stack, when the location is read, then there is none", () => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      expect(new CodedError("CODE", "message").location).toBeUndefined();
    } finally {
      Error.stackTraceLimit = limit;
    }
  });
});
