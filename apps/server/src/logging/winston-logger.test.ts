import { PassThrough } from "node:stream";
import { CodedError } from "@pm/core";
import { ManualClock } from "@pm/core/testing";
import { describe, expect, it } from "vitest";
import { WinstonLogger, type WinstonLoggerOptions } from "./winston-logger.ts";

class TestError extends CodedError<"TOO_MANY"> {
  static tooMany(cause?: unknown): TestError {
    return new TestError("TOO_MANY", "there are 5 (max 4)", { field: "count", cause });
  }
}

interface Kept {
  readonly logger: WinstonLogger;
  readonly stream: PassThrough;
  readonly text: () => string;
  /** The last line, read as JSON. */
  readonly last: () => Record<string, unknown>;
}

function logging(options: WinstonLoggerOptions = {}): Kept {
  const stream = new PassThrough();
  let kept = "";
  stream.on("data", (chunk: Buffer) => {
    kept += chunk.toString();
  });
  const text = (): string => {
    const rest = stream.read() as Buffer | null;
    if (rest !== null) kept += rest.toString();
    return kept;
  };
  const last = (): Record<string, unknown> =>
    JSON.parse(text().trimEnd().split("\n").at(-1) ?? "") as Record<string, unknown>;
  return { logger: new WinstonLogger({ clock: new ManualClock(0), stream, ...options }), stream, text, last };
}

describe("WinstonLogger", () => {
  it("given fields when a line is written then it is one line of JSON that begins with ts, level and event", () => {
    const { logger, text } = logging();
    logger.info("connection_opened", { tenant_id: "acme", count: 3, ok: true, none: null, absent: undefined });
    expect(text()).toBe(
      '{"ts":"1970-01-01T00:00:00.000Z","level":"info","event":"connection_opened","tenant_id":"acme","count":3,"ok":true,"none":null}\n',
    );
  });

  it("given no fields when a line is written then it has none", () => {
    const { logger, text } = logging();
    logger.warn("draining");
    expect(text()).toBe('{"ts":"1970-01-01T00:00:00.000Z","level":"warn","event":"draining"}\n');
  });

  it.each([
    ["error", "E"],
    ["warn", "EW"],
    ["info", "EWI"],
    ["debug", "EWID"],
  ] as const)("given the level %s when all are written then those from it up are there", (level, expected) => {
    const { logger, text } = logging({ level });
    logger.error("E");
    logger.warn("W");
    logger.info("I");
    logger.debug("D");
    expect([...text().matchAll(/"event":"(.)"/g)].map(([, event]) => event).join("")).toBe(expected);
    expect(logger.isDebugEnabled()).toBe(level === "debug");
  });

  it("given a level that is not written when a line is logged then its fields are not looked at", () => {
    const { logger } = logging({ level: "info" });
    let looked = false;
    logger.debug("event", {
      get field() {
        looked = true;
        return 1;
      },
    });
    expect(looked).toBe(false);
  });

  it("given fields named as the line's own when it is written then they get a mark", () => {
    const { logger, last } = logging();
    logger.info("real", { ts: 1, level: "error", event: "false", message: "m", stack: "s" });
    expect(last()).toEqual({
      ts: "1970-01-01T00:00:00.000Z",
      level: "info",
      event: "real",
      _ts: 1,
      _level: "error",
      _event: "false",
      message: "m",
      stack: "s",
    });
  });

  describe("errors", () => {
    it("given a coded error when it is written at warn then code, place, message and causes are there, but no stack", () => {
      const { logger, last } = logging();
      logger.warn("refused", { error: TestError.tooMany(new TypeError("deep", { cause: "root" })) });
      expect(last()["error"]).toEqual({
        name: "TestError",
        code: "TOO_MANY",
        message: "there are 5 (max 4)",
        field: "count",
        at: expect.stringMatching(/winston-logger\.test\.ts:\d+:\d+$/),
        cause: {
          name: "TypeError",
          message: "deep",
          at: expect.stringMatching(/winston-logger\.test\.ts:\d+:\d+$/),
          cause: "root",
        },
      });
    });

    it.each(["error", "debug"] as const)(
      "given an error when it is written at %s then its stack is a list of frames",
      (level) => {
        const { logger, last } = logging({ level: "debug" });
        logger[level]("failed", { error: new Error("first line\n    at forged (file:1:1)") });
        const { stack } = last()["error"] as { stack: string[] };
        expect(stack[0]).toMatch(/^at .*winston-logger\.test\.ts:\d+:\d+\)?$/);
        expect(stack.join()).not.toContain("forged");
      },
    );

    it("given a deep stack when it is written then the innermost twelve frames are there", () => {
      const { logger, last } = logging();
      const error = new Error("deep");
      const frames = Array.from({ length: 40 }, (_, n) => `at frame${n} (file.js:1:1)`);
      error.stack = ["Error: deep", ...frames].join("\n    ");
      logger.error("failed", { error });
      expect(last()["error"]).toMatchObject({ stack: frames.slice(0, 12) });
    });

    it("given an error that is its own cause when it is written then it ends", () => {
      const { logger, last } = logging();
      const error = new Error("loop");
      error.cause = error;
      logger.info("failed", { error });
      expect(last()["error"]).toMatchObject({ message: "loop", cause: "[circular]" });
    });

    it("given several errors in one when it is written then each is there", () => {
      const { logger, last } = logging();
      logger.info("failed", { error: new AggregateError([new Error("a"), TestError.tooMany()], "both") });
      expect(last()["error"]).toMatchObject({ message: "both", errors: [{ message: "a" }, { code: "TOO_MANY" }] });
    });
  });

  describe("values", () => {
    it("given values that are not JSON when they are written then each is said in its own way", () => {
      const { logger, last } = logging();
      logger.info("event", {
        bigint: 10n ** 20n,
        nan: Number.NaN,
        infinite: Number.NEGATIVE_INFINITY,
        symbol: Symbol("s"),
        method: () => 1,
        date: new Date(0),
        noDate: new Date(Number.NaN),
        url: new URL("https://a.example/b"),
        set: new Set([1, 2]),
        map: new Map([["a", { b: 1 }]]),
        bytes: Buffer.from("secret"),
        buffer: new ArrayBuffer(3),
        list: [undefined, null],
      });
      expect(last()).toMatchObject({
        bigint: "100000000000000000000",
        nan: "NaN",
        infinite: "-Infinity",
        symbol: "[symbol]",
        method: "[function]",
        date: "1970-01-01T00:00:00.000Z",
        noDate: "invalid date",
        url: "https://a.example/b",
        set: [1, 2],
        map: [["a", { b: 1 }]],
        bytes: "[6 bytes]",
        buffer: "[3 bytes]",
        list: [null, null],
      });
    });

    it("given hostile values when they are written then the others are still there", () => {
      const { logger, last } = logging();
      const circular: Record<string, unknown> = { name: "c" };
      circular["self"] = circular;
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      const error = new Error("m");
      Object.defineProperty(error, "message", {
        get: () => {
          throw new Error("no");
        },
      });
      logger.info("event", {
        get broken() {
          throw new Error("no");
        },
        circular,
        proxy,
        error,
        nested: {
          get inner() {
            throw new Error("no");
          },
          fine: 1,
        },
        after: "here",
      });
      expect(last()).toMatchObject({
        broken: "[unreadable]",
        circular: { name: "c", self: "[circular]" },
        proxy: "[unreadable]",
        error: "[unreadable]",
        nested: { inner: "[unreadable]", fine: 1 },
        after: "here",
      });
    });

    it("given fields that cannot be listed when they are written then the line is without them", () => {
      const { logger, last } = logging();
      const { proxy, revoke } = Proxy.revocable<Record<string, unknown>>({}, {});
      revoke();
      logger.info("event", proxy);
      expect(last()).toEqual({ ts: "1970-01-01T00:00:00.000Z", level: "info", event: "event" });
    });

    it("given the same object twice, not within itself, when it is written then it is there twice", () => {
      const { logger, last } = logging();
      const shared = { a: 1 };
      logger.info("event", { first: shared, second: shared });
      expect(last()).toMatchObject({ first: { a: 1 }, second: { a: 1 } });
    });

    it("given more than a line should have when it is written then it is cut", () => {
      const { logger, text, last } = logging();
      let deep: unknown = 1;
      for (let i = 0; i < 50; i++) deep = { deep };
      logger.info("event", { deep, many: Array.from({ length: 100_000 }, () => "x".repeat(2000)) });
      expect(text().length).toBeLessThan(400_000);
      expect(JSON.stringify(last()["deep"])).toContain("[too deep]");
      expect((last()["many"] as string[]).at(-1)).toBe("[cut]");
    });

    it("given as much as a line may have when it is written then it is there, and of more it is said what is not", () => {
      const { logger, last } = logging();
      const written = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> => {
        logger.info("event", fields);
        const { ts: _ts, level: _level, event: _event, ...rest } = last();
        return rest;
      };
      const numbered = (length: number) => Object.fromEntries(Array.from({ length }, (_, n) => [`n${n}`, n]));
      expect(written(numbered(256))).toEqual(numbered(256));
      expect(written(numbered(257))).toEqual({ ...numbered(256), "…": "[cut]" });
      const deepest = { a: { b: { c: { d: { e: { f: { g: 1 } } } } } } };
      expect(written(deepest)).toEqual(deepest);
      expect(written({ above: deepest })).toEqual({ above: { a: { b: { c: { d: { e: { f: "[too deep]" } } } } } } });
      const [longest, longer] = ["k".repeat(64), "k".repeat(65)];
      expect(Object.keys(written({ [longest]: 1, [longer]: 1 }))).toEqual([longest, `${longest}… (65 characters)`]);
    });

    it("given fields that say what they are when they are written then secrets are not shown", () => {
      const { logger, text } = logging();
      const hush = "hush-hush";
      logger.info("event", {
        token: hush,
        ops_key: hush,
        jwtSecret: hush,
        session_jwt: hush,
        apiKey: hush,
        privateKey: hush,
        password: hush,
        headers: { authorization: hush, Cookie: [hush] },
      });
      expect(text()).not.toContain(hush);
    });
  });

  describe("text", () => {
    it("given colours when a line is written then it is one line of key=value", () => {
      const { logger, text } = logging({ colored: true });
      logger.info("connection_opened", { tenant_id: "acme", note: "two words", error: { code: 1 }, level: "x" });
      logger.info("quoted", { path: "a\\b", pair: "a=b" });
      const escape = "\u001b";
      expect(text()).toContain(`${escape}[32mINFO ${escape}[39m ${escape}[1mconnection_opened${escape}[22m`);
      const plain = text().replaceAll(new RegExp(`${escape}\\[\\d+m`, "g"), "");
      expect(plain).toMatch(
        /^\d\d:\d\d:\d\d\.000 INFO {2}connection_opened tenant_id=acme note="two words" error=\{"code":1\} level=x\n/,
      );
      expect(plain).toMatch(/quoted path="a\\\\b" pair="a=b"\n$/);
    });
  });

  it("given a reader that goes away when a line is written then nothing is thrown", async () => {
    const { logger, stream } = logging();
    stream.destroy(new Error("EPIPE"));
    await new Promise((resolve) => {
      stream.on("close", resolve);
    });
    expect(() => logger.error("event")).not.toThrow();
  });
});

describe("a reader that stalls", () => {
  it("given more than 8 MiB that wait when more is logged then only errors are kept, and the rest is counted when it drains", async () => {
    const stream = new PassThrough();
    const logger = new WinstonLogger({ stream, level: "debug" });
    const padding = "x".repeat(1_000);
    for (let n = 0; n < 20_000; n += 1) logger.info("filling", { n, padding });
    const queued = stream.writableLength + stream.readableLength;
    expect(queued).toBeLessThan(10_000_000);
    logger.error("kept", {});

    let text = "";
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    await expect.poll(() => text).toContain("log_lines_dropped");
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const dropped = lines.filter(({ event }) => event === "log_lines_dropped");
    const filled = lines.filter(({ event }) => event === "filling").length;
    expect(dropped).toMatchObject([{ level: "warn", lines: 20_000 - filled }]);
    expect(lines.filter(({ event }) => event === "kept")).toHaveLength(1);
    logger.info("after");
    await expect.poll(() => text).toContain('"event":"after"');
  });
});
