import type { CancelTimer, Clock } from "./clock.ts";

declare function setTimeout(callback: () => void, ms: number): unknown;
declare function setInterval(callback: () => void, ms: number): unknown;
declare function clearTimeout(timer: unknown): void;
declare const performance: { now(): number };

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, callback) => cancelOf(setTimeout(callback, ms)),
  every: (ms, callback) => cancelOf(setInterval(callback, ms)),
};

function cancelOf(timer: unknown): CancelTimer {
  (timer as { unref?: () => void }).unref?.();
  return () => clearTimeout(timer);
}
