import { PmClientError } from "../pm-client-error.ts";
import type { CancelTimer, Clock } from "../platform/clock.ts";
import type { Publish, StreamPosition } from "../wire/messages.ts";

/** Where a publication is in the log. */
export interface PublishResult {
  readonly position: StreamPosition;
  /** The same as in the publication; tells a publisher its own. */
  readonly messageId: string;
  /** The idempotency key had been seen before: this is where the first publication is. */
  readonly isDuplicate: boolean;
}

/** What a PendingPublish is made of. */
export interface PendingPublishInit {
  /** Publishes to a channel are sent in this order. */
  readonly order: number;
  readonly message: Publish;
  /** Milliseconds that it waits to be sent for the first time. */
  readonly maxWaitMs: number;
  readonly resolve: (result: PublishResult) => void;
  readonly reject: (error: PmClientError) => void;
  /** Its time is over while it waits. */
  readonly onLate: (publish: PendingPublish) => void;
}

/** One publish from the call to its answer. */
export class PendingPublish {
  readonly order: number;
  readonly message: Publish;
  /** The epoch of the log when it was sent, where it was known. */
  epoch: string | undefined;
  readonly #init: PendingPublishInit;
  readonly #clock: Clock;
  #firstSentMs: number | undefined;
  #isOpen = false;
  #dueMs: number;
  #cancelTimer: CancelTimer;

  constructor(init: PendingPublishInit, clock: Clock) {
    this.order = init.order;
    this.message = init.message;
    this.#init = init;
    this.#clock = clock;
    this.#dueMs = clock.monotonic() + init.maxWaitMs;
    this.#cancelTimer = clock.after(init.maxWaitMs, () => init.onLate(this));
  }

  /** True when it was sent and its answer was lost: it is in the log or not. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  get isLate(): boolean {
    return this.#clock.monotonic() >= this.#dueMs;
  }

  /** What to say when its time is over. */
  get lateError(): PmClientError {
    if (this.#isOpen) return PmClientError.outcomeUnknown("its idempotency key has run out");
    return PmClientError.expired(this.#init.maxWaitMs);
  }

  noteSent(): void {
    this.#firstSentMs ??= this.#clock.monotonic();
  }

  /** Its answer was lost. It can be sent again within a window that begins when it was sent first. */
  open(windowMs: number): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#cancelTimer();
    this.#dueMs = (this.#firstSentMs ?? this.#clock.monotonic()) + windowMs;
    this.#cancelTimer = this.#clock.after(this.#dueMs - this.#clock.monotonic(), () => this.#init.onLate(this));
  }

  resolve(result: PublishResult): void {
    this.#cancelTimer();
    this.#init.resolve(result);
  }

  reject(error: PmClientError): void {
    this.#cancelTimer();
    this.#init.reject(error);
  }
}
