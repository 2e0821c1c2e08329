import type { CancelTimer, Clock, Logger } from "@pm/core";
import type { SubsystemReport, WatchedSubsystem } from "./subsystem.ts";

/** What a probe asks, and what it means when there is no answer. */
export interface ProbeOptions {
  readonly name: string;
  /** Rejects when the part does not work. */
  readonly ask: () => Promise<unknown>;
  /** What a part that does not answer is. */
  readonly otherwise: "degraded" | "failed";
  /**
   * Milliseconds between two questions.
   * @default 1000
   */
  readonly intervalMs?: number | undefined;
  /**
   * Milliseconds after which no answer is a bad one.
   * @default 2000
   */
  readonly timeoutMs?: number | undefined;
}

/** What a probe needs from outside. */
export interface ProbePorts {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Asks a part of the server regularly whether it works, one question at a time, and keeps the last answer. */
export class Probe implements WatchedSubsystem {
  readonly name: string;
  readonly #options: ProbeOptions;
  readonly #ports: ProbePorts;
  #cancel: CancelTimer | undefined;
  #askedMs: number | undefined;
  #roundTripMs = 0;
  #answeredMs: number;
  #works = true;

  constructor(options: ProbeOptions, ports: ProbePorts) {
    this.name = options.name;
    this.#options = options;
    this.#ports = ports;
    this.#answeredMs = ports.clock.monotonic();
  }

  async start(): Promise<void> {
    if (this.#cancel !== undefined) return;
    this.#cancel = this.#ports.clock.every(this.#options.intervalMs ?? 1_000, () => void this.#ask());
    await this.#ask();
  }

  report(): SubsystemReport {
    const sinceAnswerMs = this.#ports.clock.monotonic() - this.#answeredMs;
    return {
      state: this.#works ? "ok" : this.#options.otherwise,
      numbers: { round_trip_ms: rounded(this.#roundTripMs), last_answer_ms_ago: rounded(sinceAnswerMs) },
    };
  }

  close(): void {
    this.#cancel?.();
  }

  async #ask(): Promise<void> {
    const { clock } = this.#ports;
    const nowMs = clock.monotonic();
    if (this.#askedMs !== undefined) {
      const timeoutMs = this.#options.timeoutMs ?? 2_000;
      if (nowMs - this.#askedMs >= timeoutMs) this.#failed(new Error(`no answer within ${timeoutMs} ms`));
      return;
    }
    this.#askedMs = nowMs;
    try {
      await this.#options.ask();
      this.#answeredMs = clock.monotonic();
      this.#roundTripMs = this.#answeredMs - nowMs;
      this.#succeeded();
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#askedMs = undefined;
    }
  }

  #succeeded(): void {
    if (!this.#works) this.#ports.logger.info("subsystem_recovered", { subsystem: this.name });
    this.#works = true;
  }

  /** Logged once, until it works again. */
  #failed(error: unknown): void {
    if (this.#works) this.#ports.logger.error("subsystem_failed", { subsystem: this.name, error });
    this.#works = false;
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
