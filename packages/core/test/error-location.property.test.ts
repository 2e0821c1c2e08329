import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CodedError } from "../src/coded-error.ts";
import { parseErrorLocation } from "../src/error-location.ts";
import { anyString } from "./any-string.ts";

const file = fc.oneof(
  fc.constantFrom("file:///srv/pm/ws/outbox.js", "/srv/a (copy)/x.js", "C:\\pm\\x.js", "webpack:///./x.ts"),
  fc
    .string({ unit: fc.constantFrom("a", "/", " ", "(", ")", ":", ".", "%"), minLength: 1, maxLength: 12 })
    .map((path) => `/x${path}y`),
);
const place = fc.record({ file, line: fc.integer({ min: 1, max: 99_999 }), column: fc.integer({ min: 1, max: 999 }) });
const functionName = fc.constantFrom("run", "Object.make", "new Session", "get size", "Session.#flush", "async");
const form = fc.constantFrom(
  (name: string, at: string) => `    at ${name} (${at})`,
  (name: string, at: string) => `    at async ${name} (${at})`,
  (_: string, at: string) => `    at ${at}`,
  (_: string, at: string) => `    at async ${at}`,
);

describe("parseErrorLocation", () => {
  it("given a stack with any number of factory frames first, when it is read, then the frame after them is told", () => {
    const making = fc.constantFrom(
      "WsError.limit (/srv/ws-error.js:1:2)",
      "new WsError (/srv/ws-error.js:1:2)",
      "Function.limit (/srv/ws-error.js:1:2)",
      "process.processTicksAndRejections (node:internal/process/task_queues:104:5)",
    );
    fc.assert(
      fc.property(fc.array(making, { maxLength: 3 }), functionName, form, place, (factories, name, write, where) => {
        const raised = write(name, `${where.file}:${where.line}:${where.column}`);
        const stack = ["WsError: m", ...factories.map((one) => `    at ${one}`), raised].join("\n");
        expect(parseErrorLocation(stack, "WsError")).toEqual(where);
      }),
    );
  });

  it("given any text at all, when it is read as a stack, then there is a place or nothing, and never an exception", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyString(80),
          anyString(80).map((text) => `    at ${text}`),
        ),
        (text) => {
          const location = parseErrorLocation(text, "WsError");
          if (location !== undefined) expect(Number.isInteger(location.line + location.column)).toBe(true);
        },
      ),
    );
  });
});

describe("CodedError", () => {
  const hostile = fc.oneof(
    anyString(),
    anyString().map((text) => `${text}\n    at evil (file:///evil.js:666:13)`),
  );

  it("given any message, when the location is read, then it is this file and nothing from the message", () => {
    fc.assert(
      fc.property(hostile, (message) => {
        expect(new CodedError("X", message).location?.file).toContain("error-location.property.test.ts");
      }),
    );
  });
});
