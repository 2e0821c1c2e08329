import { describe, expect, it } from "vitest";
import { choosePinning } from "./cpu-pinning.ts";

describe("choosePinning", () => {
  it("given several cores, when they are shared out, then the first is the server's and the others the generator's", () => {
    expect(choosePinning([2, 3])).toEqual({ serverCpu: 2, generatorCpus: [3] });
    expect(choosePinning([0, 1, 2, 3])).toEqual({ serverCpu: 0, generatorCpus: [1, 2, 3] });
  });

  it("given one core, when it is to be shared out, then nothing is pinned", () => {
    expect(choosePinning([0])).toBeUndefined();
    expect(choosePinning([])).toBeUndefined();
  });
});
