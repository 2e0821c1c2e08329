/** Ends a timer; calling it again, or after the timer has fired, does nothing. */
export type CancelTimer = () => void;

/** Time as a port, so that tests own it. */
export interface Clock {
  /** Milliseconds since an unnamed start. Never goes back. */
  monotonic(): number;
  /** Calls back once after `ms`. */
  after(ms: number, callback: () => void): CancelTimer;
}

/** The longest delay of a platform timer, 24.8 days; a longer one would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** What the time of day gains on `performance.now`, but for small corrections, is time that the machine slept. */
const LEAST_SLEEP_MS = 1_000;

/** The clock of the machine. Its timers keep a Node process alive: a client that waits is not done. */
export const systemClock: Clock = /* @__PURE__ */ clockOfMachine();

function clockOfMachine(): Clock {
  let lastMs = performance.now();
  let lastDayMs = Date.now();
  let sleptMs = 0;
  return {
    // While a machine sleeps, `performance.now` mostly stands still; what a server remembers for a time runs out.
    monotonic: () => {
      const nowMs = performance.now();
      const dayMs = Date.now();
      const gainedMs = dayMs - lastDayMs - (nowMs - lastMs);
      if (gainedMs >= LEAST_SLEEP_MS) sleptMs += gainedMs;
      lastMs = nowMs;
      lastDayMs = dayMs;
      return nowMs + sleptMs;
    },
    after: (ms, callback) => {
      let timer: ReturnType<typeof setTimeout>;
      const wait = (leftMs: number): void => {
        const rest = leftMs - MAX_DELAY_MS;
        timer = rest > 0 ? setTimeout(() => wait(rest), MAX_DELAY_MS) : setTimeout(callback, leftMs);
      };
      wait(ms);
      return () => clearTimeout(timer);
    },
  };
}
