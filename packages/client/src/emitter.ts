/** Ends the calls of a listener; calling it again does nothing. */
export type Unlisten = () => void;

/** Typed events: `Events` maps the name of each to what its listeners get. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();
  #waiting: (() => void)[] = [];

  /** Calls `listener` at each event of this name, in the order in which listeners came. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): Unlisten {
    // A function of its own, so that the same listener may be given twice.
    const call = (event: Events[Name]): void => listener(event);
    const listeners = this.#listeners.get(name);
    if (listeners === undefined) this.#listeners.set(name, new Set([call]));
    else listeners.add(call);
    return () => this.#listeners.get(name)?.delete(call);
  }

  /**
   * An error of a listener does not reach the caller, nor the other listeners: it is thrown again in a turn of its own,
   * where the platform reports it. What a listener itself brings about is told when all have heard of the first.
   */
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    this.#waiting.push(() => this.#tell(name, event));
    if (this.#waiting.length > 1) return;
    for (const tell of this.#waiting) tell();
    this.#waiting = [];
  }

  #tell<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    const listeners = this.#listeners.get(name) ?? new Set();
    const called = [...listeners];
    for (const listener of called) {
      // Another may have ended it just now.
      if (!listeners.has(listener)) continue;
      try {
        listener(event as never);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
