/** Ends a timer; calling it again, or after the timer has fired, does nothing. */
export type CancelTimer = () => void;

/** Time as a port, so that tests own it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. May jump. */
  now(): number;
  /** Milliseconds since an unnamed start. Never goes back. */
  monotonic(): number;
  /** Calls back once after `ms`. Does not keep the process alive. */
  after(ms: number, callback: () => void): CancelTimer;
  /** Calls back every `ms`. Does not keep the process alive. */
  every(ms: number, callback: () => void): CancelTimer;
}

/** Resolves after `ms` of the clock's time. */
export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
