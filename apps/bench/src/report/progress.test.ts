import { describe, expect, it } from "vitest";
import { duration, Progress, progressLine } from "./progress.ts";
import { timeLine } from "./time-progress.ts";

describe("Progress", () => {
  it("given no terminal, when runs are done, then each has a line", async () => {
    let written = "";
    const progress = new Progress({ write: (text) => (written += text) });
    progress.begin(2);
    expect(await progress.during("first", Promise.resolve(7))).toBe(7);
    await expect(progress.during("second", Promise.reject(new Error("no")))).rejects.toThrow("no");
    progress.end();
    expect(written).toBe("[1/2] first\n[2/2] second\n");
  });

  it("given a terminal, when a run goes on, then its bar stays within the columns and is wiped at the end", async () => {
    const written: string[] = [];
    const progress = new Progress({ isTTY: true, columns: 40, write: (text) => written.push(text) }, () => 0);
    progress.begin(1);
    await progress.during("a rather long name of a run", Promise.resolve());
    progress.end();
    expect(written.map((text) => text.replace("\r\u001B[2K", "").length)).toEqual([39, 0]);
  });
});

describe("progressLine", () => {
  it("given half of the runs, when it is written, then the bar is half full and as much time is left", () => {
    const line = progressLine({ label: "x", done: 2, total: 4, elapsedMs: 90_000 });
    expect(line).toBe(`${"█".repeat(12)}${"░".repeat(12)} 2/4  x  about 1 min 30 s left`);
  });

  it("given a duration, when it is written, then minutes begin at sixty seconds", () => {
    expect([1, 59_000, 60_000].map(duration)).toEqual(["1 s", "59 s", "1 min 0 s"]);
  });
});

describe("timeLine", () => {
  it("given a load, when its time is over, then it says that it waits", () => {
    const state = { durationSecs: 10, sent: 5, delivered: 50 };
    expect(timeLine({ ...state, elapsedSecs: 2.5 })).toContain("2/10 s  5 published, 50 delivered");
    expect(timeLine({ ...state, elapsedSecs: 11 })).toContain("waiting");
  });
});
