import type { CancelTimer, Clock } from "../platform/clock.ts";
import type { ErrorMessage, ServerBody } from "../wire/messages.ts";

/** How a command ended. */
export type Reply =
  | { readonly kind: "answer"; readonly body: ServerBody | undefined }
  /** By the server; or here, where it is larger than the server takes. */
  | { readonly kind: "refused"; readonly error: ErrorMessage }
  /** The connection ended before the answer; `code` is that of the close. */
  | { readonly kind: "lost"; readonly code: number }
  | { readonly kind: "timeout"; readonly afterMs: number };

/** Called in the turn in which the reply was read, in the order of the frames. */
export type OnReply = (reply: Reply) => void;

interface Pending {
  readonly onReply: OnReply;
  readonly dueMs: number;
}

/** The commands of one connection that wait for their answer. */
export class PendingReplies {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #cancelTimer: CancelTimer | undefined;

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** The id of the next command. */
  get nextId(): number {
    return this.#nextId;
  }

  /** Waits for the answer to the command that took `nextId`. */
  add(onReply: OnReply): void {
    this.#pending.set(this.#nextId, { onReply, dueMs: this.#clock.monotonic() + this.#timeoutMs });
    this.#nextId = this.#nextId === 2 ** 32 - 1 ? 1 : this.#nextId + 1;
    this.#watch();
  }

  settle(id: number, reply: Reply): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.onReply(reply);
  }

  /** Tells all that wait. */
  lose(code: number): void {
    this.#cancelTimer?.();
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    for (const { onReply } of lost) onReply({ kind: "lost", code });
  }

  /** All wait equally long, so the oldest is the first that is due. */
  #watch(): void {
    const [oldest] = this.#pending.values();
    if (this.#cancelTimer !== undefined || oldest === undefined) return;
    this.#cancelTimer = this.#clock.after(oldest.dueMs - this.#clock.monotonic(), () => {
      this.#cancelTimer = undefined;
      this.#expire();
      this.#watch();
    });
  }

  #expire(): void {
    const nowMs = this.#clock.monotonic();
    for (const [id, { dueMs }] of this.#pending) {
      if (dueMs > nowMs) return;
      this.settle(id, { kind: "timeout", afterMs: this.#timeoutMs });
    }
  }
}
