/** Where progress is shown. */
export interface ProgressTerminal {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const BAR_CELLS = 24;
const REDRAW_MS = 250;
const DEFAULT_COLUMNS = 80;
/** Begins a line anew. */
export const CLEAR_LINE = "\r\u001B[2K";

/** How far a number of runs has come: a bar in a terminal, a line for each run elsewhere. */
export class Progress {
  readonly #terminal: ProgressTerminal;
  readonly #now: () => number;
  #total = 0;
  #done = 0;
  #startMs = 0;

  /** @param now milliseconds of any clock */
  constructor(terminal: ProgressTerminal, now: () => number = () => performance.now()) {
    this.#terminal = terminal;
    this.#now = now;
  }

  /** So many runs are to come. */
  begin(total: number): void {
    this.#total = total;
    this.#done = 0;
    this.#startMs = this.#now();
  }

  /** Shows a run until it is done. */
  async during<Value>(label: string, run: Promise<Value>): Promise<Value> {
    this.#draw(label);
    const timer = this.#terminal.isTTY === true ? setInterval(() => this.#draw(label), REDRAW_MS) : undefined;
    try {
      return await run;
    } finally {
      clearInterval(timer);
      this.#done++;
      if (this.#terminal.isTTY !== true) this.#terminal.write(`[${this.#done}/${this.#total}] ${label}\n`);
    }
  }

  /** Nothing more is shown. */
  end(): void {
    if (this.#terminal.isTTY === true) this.#terminal.write(CLEAR_LINE);
  }

  #draw(label: string): void {
    if (this.#terminal.isTTY !== true) return;
    const line = progressLine({
      label,
      done: this.#done,
      total: this.#total,
      elapsedMs: this.#now() - this.#startMs,
    });
    this.#terminal.write(CLEAR_LINE + line.slice(0, (this.#terminal.columns ?? DEFAULT_COLUMNS) - 1));
  }
}

/** A bar with what is going on, and how long it will take if the rest goes on like this. */
export function progressLine({ label, done, total, elapsedMs }: ProgressState): string {
  const bar = progressBar(total === 0 ? 1 : done / total);
  const left = done === 0 ? "" : `  about ${duration((elapsedMs / done) * (total - done))} left`;
  return `${bar} ${done}/${total}  ${label}${left}`;
}

/** A bar that is filled by a share from 0 to 1. */
export function progressBar(share: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * BAR_CELLS);
  return "█".repeat(filled) + "░".repeat(BAR_CELLS - filled);
}

/** Where a number of runs is. */
export interface ProgressState {
  readonly label: string;
  readonly done: number;
  readonly total: number;
  readonly elapsedMs: number;
}

/** Milliseconds in words: `40 s`, `3 min 20 s`. */
export function duration(ms: number): string {
  const secs = Math.ceil(ms / 1000);
  return secs < 60 ? `${secs} s` : `${Math.floor(secs / 60)} min ${secs % 60} s`;
}
