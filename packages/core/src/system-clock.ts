import type { CancelTimer, Clock } from "./clock.ts";

declare function setTimeout(callback: () => void, ms: number): unknown;
declare function setInterval(callback: () => void, ms: number): unknown;
declare function clearTimeout(timer: unknown): void;
declare const performance: { now(): number };

/** Looked up once: as a global of Node it is a getter. */
const timeline = performance;

/** The longest delay of a platform timer, 24.8 days; a longer one would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** The clock of the machine. A delay may have any length; a period is at most 24.8 days. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => timeline.now(),
  after: (ms, callback) => {
    let cancel: CancelTimer;
    const wait = (leftMs: number): void => {
      const rest = leftMs - MAX_DELAY_MS;
      cancel = cancelOf(rest > 0 ? setTimeout(() => wait(rest), MAX_DELAY_MS) : setTimeout(callback, leftMs));
    };
    wait(ms);
    return () => cancel();
  },
  every: (ms, callback) => cancelOf(setInterval(callback, Math.min(ms, MAX_DELAY_MS))),
};

function cancelOf(timer: unknown): CancelTimer {
  (timer as { unref?: () => void }).unref?.();
  return () => clearTimeout(timer);
}
