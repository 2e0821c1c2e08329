import { PmClientError } from "../pm-client-error.ts";
import type { PendingPublish } from "./pending-publish.ts";

/** All publishes that have no answer yet, bounded: those that wait, in order, and those that are on their way. */
export class PublishQueue {
  readonly #maxPending: number;
  #waiting: PendingPublish[] = [];
  readonly #sent = new Set<PendingPublish>();
  #added = 0;

  constructor(maxPending: number) {
    this.#maxPending = maxPending;
  }

  get size(): number {
    return this.#waiting.length + this.#sent.size;
  }

  get sentCount(): number {
    return this.#sent.size;
  }

  /** Makes room for one more and gives its order. @throws PmClientError `BUFFER_FULL` */
  nextOrder(): number {
    if (this.size >= this.#maxPending) throw PmClientError.bufferFull(this.#maxPending);
    return this.#added++;
  }

  add(publish: PendingPublish): void {
    this.#waiting.push(publish);
  }

  /** Takes the next that waits and whose channel is not blocked: it is on its way then. */
  take(blocked: ReadonlySet<string>): PendingPublish | undefined {
    const index = this.#waiting.findIndex(({ message }) => !blocked.has(message.channel));
    const [next] = index < 0 ? [] : this.#waiting.splice(index, 1);
    if (next !== undefined) this.#sent.add(next);
    return next;
  }

  /** Puts one that was on its way back to where it was in the order. */
  putBack(publish: PendingPublish): void {
    if (!this.#sent.delete(publish)) return;
    const index = this.#waiting.findIndex(({ order }) => order > publish.order);
    this.#waiting.splice(index < 0 ? this.#waiting.length : index, 0, publish);
  }

  isSent(publish: PendingPublish): boolean {
    return this.#sent.has(publish);
  }

  /** Removes one that has its answer. */
  remove(publish: PendingPublish): void {
    if (!this.#sent.delete(publish)) this.#waiting = this.#waiting.filter((waiting) => waiting !== publish);
  }

  /** Those that wait although they were sent before: whether they are in the log is open. */
  open(): readonly PendingPublish[] {
    return this.#waiting.filter(({ isOpen }) => isOpen);
  }

  all(): readonly PendingPublish[] {
    return [...this.#sent, ...this.#waiting];
  }
}
