import type { CancelTimer, Clock } from "../platform/clock.ts";
import type { Randomness } from "../platform/randomness.ts";
import { waitMs } from "../reconnect/backoff.ts";

/** What a SendPace is made of. */
export interface SendPacePorts {
  readonly clock: Clock;
  readonly random: Randomness;
  /** A pause is over. */
  readonly onResume: () => void;
}

/** Commands of a kind on their way at a time; the server takes 512 of all before it stops reading. */
const MAX_SENT = 256;
const RETRY = { kind: "backoff", baseMs: 250, leastMs: 100 } as const;
/** The part of a hint by which it may be exceeded, so that not all who got it come back in the same moment. */
const JITTER_PART = 0.1;

/**
 * How fast commands are sent that a server limits. After a refusal there is a pause, and then one at a time: more would
 * be refused together, and a server closes connections that go on like that. Each success lets one more be on its way.
 */
export class SendPace {
  readonly #ports: SendPacePorts;
  #window = MAX_SENT;
  #failures = 0;
  #jitter = 0;
  #pauseUntilMs = 0;
  #cancelPause: CancelTimer | undefined;

  constructor(ports: SendPacePorts) {
    this.#ports = ports;
  }

  /** Whether one more may be sent beside those that are on their way. */
  allows(sentCount: number): boolean {
    return this.#cancelPause === undefined && sentCount < this.#window;
  }

  noteSuccess(): void {
    // It was sent before the refusal, and says nothing of what comes after.
    if (this.#cancelPause !== undefined) return;
    this.#failures = 0;
    this.#window = Math.min(MAX_SENT, this.#window + 1);
  }

  /** The server has named the time after which there is room. */
  pauseFor(hintMs: number): void {
    if (hintMs === 0) {
      this.backOff(0);
      return;
    }
    // Drawn once a pause: of many, the largest would be waited, and all clients would come back together.
    if (this.#cancelPause === undefined) this.#jitter = JITTER_PART * this.#ports.random.fraction();
    this.#pause(hintMs * (1 + this.#jitter));
  }

  /** The server cannot do it now, and nobody knows for how long; `hintMs` is the least. */
  backOff(hintMs: number): void {
    // What was sent together is refused together: that is one failure.
    if (this.#cancelPause === undefined) this.#failures++;
    this.#pause(Math.max(hintMs, waitMs(RETRY, this.#failures - 1, this.#ports.random)));
  }

  /** Begins anew, at full speed. */
  reset(): void {
    this.#cancelPause?.();
    this.#cancelPause = undefined;
    this.#failures = 0;
    this.#window = MAX_SENT;
  }

  #pause(ms: number): void {
    const { clock, onResume } = this.#ports;
    const untilMs = clock.monotonic() + ms;
    this.#window = 1;
    if (this.#cancelPause !== undefined && untilMs <= this.#pauseUntilMs) return;
    this.#cancelPause?.();
    this.#pauseUntilMs = untilMs;
    this.#cancelPause = clock.after(ms, () => {
      this.#cancelPause = undefined;
      onResume();
    });
  }
}
