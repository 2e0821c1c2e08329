interface Waiting {
  readonly condition: () => boolean;
  readonly resolve: () => void;
}

/** Those who wait for something to become true. */
export class Conditions {
  #waiting: Waiting[] = [];

  /** Resolves as soon as the condition holds, now or at a later `look`. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve) => this.#waiting.push({ condition, resolve }));
  }

  /** Something has changed. */
  look(): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter(({ condition, resolve }) => {
      if (!condition()) return true;
      resolve();
      return false;
    });
  }
}
