import { describe, expect, it } from "vitest";
import { parseErrorLocation } from "./error-location.ts";

const at = (frame: string): string => `WsError: message\n    ${frame}\n    at later (/z.js:9:9)`;

describe("parseErrorLocation", () => {
  it.each([
    ["a function", "at run (/srv/x.js:10:5)", "/srv/x.js"],
    ["a module", "at file:///srv/x.js:10:5", "file:///srv/x.js"],
    ["an async function", "at async run (/srv/x.js:10:5)", "/srv/x.js"],
    ["an async module or arrow function", "at async file:///srv/x.js:10:5", "file:///srv/x.js"],
    ["a folder with brackets", "at run (/srv/a (copy)/x.js:10:5)", "/srv/a (copy)/x.js"],
    ["a folder with brackets and no function", "at /srv/a (copy)/x.js:10:5", "/srv/a (copy)/x.js"],
    ["a drive letter", "at run (C:\\srv\\x.js:10:5)", "C:\\srv\\x.js"],
    ["another class's constructor", "at new Session (/srv/x.js:10:5)", "/srv/x.js"],
    ["a function named async", "at async (/srv/x.js:10:5)", "/srv/x.js"],
    ["an alias", "at Object.run [as call] (/srv/x.js:10:5)", "/srv/x.js"],
  ])("given the frame of %s, when the stack is read, then its place is told", (_, frame, file) => {
    expect(parseErrorLocation(at(frame), "WsError")).toEqual({ file, line: 10, column: 5 });
  });

  it.each([
    "at WsError.limit (/srv/x.js:10:5)",
    "at new WsError (/srv/x.js:10:5)",
    "at Function.limit (/srv/x.js:10:5)",
    "at async WsError.later (/srv/x.js:10:5)",
    "at process.processTicksAndRejections (node:internal/process/task_queues:104:5)",
    "at node:internal/main/run_main_module:36:49",
    "at async Promise.all (index 0)",
    "at Array.map (<anonymous>)",
    "at native",
  ])("given the frame %j, when the stack is read, then it is passed over", (frame) => {
    expect(parseErrorLocation(at(frame), "WsError")).toEqual({ file: "/z.js", line: 9, column: 9 });
  });

  it("given a class whose name only begins like the error's, when the stack is read, then its frame counts", () => {
    expect(parseErrorLocation(at("at WsErrors.limit (/srv/x.js:10:5)"), "WsError")?.file).toBe("/srv/x.js");
  });

  it.each([[undefined], [""], ["WsError: message"], ["limit@file:///srv/x.js:10:5"]])(
    "given %j, which has no frame of V8, when it is read, then there is no place",
    (stack) => {
      expect(parseErrorLocation(stack, "WsError")).toBeUndefined();
    },
  );
});
