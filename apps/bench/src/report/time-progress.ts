import { CLEAR_LINE, progressBar, type ProgressTerminal } from "./progress.ts";
import { plain } from "./quantity.ts";

/** What is told beside the time. */
export interface LiveCounts {
  readonly sent: number;
  readonly delivered: number;
}

const REDRAW_MS = 500;
const LINE_MS = 5_000;

/** How far a load of known length is: a bar in a terminal, a line every five seconds elsewhere. */
export class TimeProgress {
  readonly #terminal: ProgressTerminal;
  readonly #durationSecs: number;

  constructor(terminal: ProgressTerminal, durationSecs: number) {
    this.#terminal = terminal;
    this.#durationSecs = durationSecs;
  }

  /** Says what goes on before the time begins. */
  note(text: string): void {
    this.#terminal.write(this.#isBar ? CLEAR_LINE + text : `${text}\n`);
  }

  /** Shows a load until it is done. */
  async during<Value>(load: Promise<Value>, counts: () => LiveCounts): Promise<Value> {
    const startMs = performance.now();
    const timer = setInterval(
      () => this.note(timeLine({ elapsedSecs: (performance.now() - startMs) / 1000, ...this.#state(counts()) })),
      this.#isBar ? REDRAW_MS : LINE_MS,
    );
    try {
      return await load;
    } finally {
      clearInterval(timer);
      if (this.#isBar) this.#terminal.write(CLEAR_LINE);
    }
  }

  get #isBar(): boolean {
    return this.#terminal.isTTY === true;
  }

  #state({ sent, delivered }: LiveCounts): Omit<TimeState, "elapsedSecs"> {
    return { sent, delivered, durationSecs: this.#durationSecs };
  }
}

/** Where a load is. */
export interface TimeState extends LiveCounts {
  readonly elapsedSecs: number;
  readonly durationSecs: number;
}

/** A bar, the time, and the counts. */
export function timeLine({ elapsedSecs, durationSecs, sent, delivered }: TimeState): string {
  const time =
    elapsedSecs < durationSecs ? `${Math.floor(elapsedSecs)}/${durationSecs} s` : "waiting for what is on its way";
  return `${progressBar(elapsedSecs / durationSecs)} ${time}  ${plain(sent)} published, ${plain(delivered)} delivered`;
}
