import { describe, expect, it } from "vitest";
import { parseOpenFileLimit, thisMachine } from "./machine.ts";

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max processes             7823                 7823                 processes
Max open files            1024                 524288               files
Max locked memory         8388608              8388608              bytes
`;

describe("the machine", () => {
  it("given the limits of a process when they are read then the soft one counts", () => {
    expect(parseOpenFileLimit(LIMITS)).toBe(1024);
  });

  it.each(["", "Max open files            unlimited            unlimited            files"])(
    "given %j when it is read then there is no limit known",
    (limits) => {
      expect(parseOpenFileLimit(limits)).toBeUndefined();
    },
  );

  it.runIf(process.platform === "linux")("given Linux when it is asked then it knows its limit", () => {
    expect(thisMachine().openFileLimit).toBeGreaterThan(0);
  });
});
