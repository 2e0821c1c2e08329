import type { Channel, Miss, Publication } from "../src/index.ts";

/** What one subscriber was told, in order. */
export class DeliveryRecord {
  readonly publications: Publication[] = [];
  readonly misses: Miss[] = [];
  readonly states: string[] = [];
  recoveries = 0;
  readonly #waiting = new Set<() => void>();

  constructor(channel: Channel) {
    channel.on("publication", (publication) => {
      this.publications.push(publication);
      for (const check of this.#waiting) check();
    });
    const miss = (told: Miss): number => this.misses.push(told);
    channel.on("lagged", miss);
    channel.on("missed", miss);
    channel.on("recovered", () => this.recoveries++);
    channel.on("state", ({ state }) => this.states.push(state));
  }

  get ids(): unknown[] {
    return this.publications.map(({ data }) => data);
  }

  get offsets(): number[] {
    return this.publications.map(({ position }) => position.offset);
  }

  /** Resolves when so many publications have come. */
  async reached(count: number, timeoutMs = 10_000): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = (): void => (this.publications.length >= count ? resolve() : undefined);
    const late = (): void => reject(new Error(`${this.publications.length} of ${count} publications came`));
    const timer = setTimeout(late, timeoutMs);
    this.#waiting.add(check);
    check();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(check);
    }
  }
}

/** The whole numbers from 1 on. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
