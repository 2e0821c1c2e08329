import { describe, expect, it } from "vitest";
import { memory, memoryReport } from "./memory.ts";

describe("memory", () => {
  it.each([
    ["much of both left", 50, 50, "ok"],
    ["85 % of the heap", 85, 50, "degraded"],
    ["85 % of what the process may hold", 50, 85, "degraded"],
    ["97 % of the heap", 97, 50, "failed"],
    ["97 % of what the process may hold", 50, 97, "failed"],
  ])("given %s, when it is read, then the worse one counts", (_what, heapUsed, resident, state) => {
    expect(memoryReport({ heapUsed, heapLimit: 100, resident, residentLimit: 100 }).state).toBe(state);
  });

  it("given no limit of the process, when it is read, then the heap alone counts", () => {
    const report = memoryReport({ heapUsed: 1, heapLimit: 100, resident: 1e15, residentLimit: undefined });
    expect(report).toEqual({
      state: "ok",
      numbers: { heap_used_bytes: 1, heap_limit_bytes: 100, resident_bytes: 1e15 },
    });
  });

  it("given this process, when it is read, then it is well", () => {
    expect(memory().report().state).toBe("ok");
  });
});
