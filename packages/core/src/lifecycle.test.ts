import { describe, expect, it } from "vitest";
import type { AbortSignalLike, DrainOptions } from "./lifecycle.ts";

describe("DrainOptions", () => {
  it("given the platform's AbortSignal, when it is passed as the signal of a drain, then its abort is heard", () => {
    const controller = new AbortController();
    const options: DrainOptions = { signal: controller.signal };
    const signal: AbortSignalLike | undefined = options.signal;
    let aborted = false;
    signal?.addEventListener("abort", () => (aborted = true));
    controller.abort();
    expect([aborted, signal?.aborted]).toEqual([true, true]);
  });
});
