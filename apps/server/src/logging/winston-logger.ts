import { type Clock, type LogFields, type Logger, systemClock } from "@pm/core";
import winston from "winston";
import { jsonLine, type LogEntry, type LogLevel, textLine } from "./log-line.ts";

/** How a WinstonLogger writes. */
export interface WinstonLoggerOptions {
  /**
   * The least level that is written.
   * @default "info"
   */
  readonly level?: LogLevel | undefined;
  /**
   * Coloured text instead of JSON.
   * @default false
   */
  readonly colored?: boolean | undefined;
  /** @default the standard output */
  readonly stream?: NodeJS.WritableStream | undefined;
  /** @default the machine's */
  readonly clock?: Clock | undefined;
}

const LEVELS: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };
/** Where winston looks for the finished line. */
const MESSAGE = Symbol.for("message");
const NO_FIELDS: LogFields = {};
/** Bytes that may wait for a reader of the log that has stalled; above, only errors are kept. */
const MAX_QUEUED_BYTES = 8 * 1024 ** 2;

/**
 * Writes one line an event with winston. Levels below the least cost a comparison. Whatever the fields hold, a call
 * never throws, and a line has no control characters and no tokens; a reader that goes away ends nothing. While a
 * reader stalls, lines below `error` are dropped, and told as one number when it goes on.
 */
export class WinstonLogger implements Logger {
  readonly #winston: winston.Logger;
  readonly #clock: Clock;
  readonly #least: number;
  readonly #debugEnabled: boolean;
  readonly #stream: NodeJS.WritableStream;
  #dropped = 0;

  constructor(options: WinstonLoggerOptions = {}) {
    const { level = "info", colored = false, stream = process.stdout, clock = systemClock } = options;
    this.#clock = clock;
    this.#stream = stream;
    this.#least = LEVELS[level];
    this.#debugEnabled = this.#least >= LEVELS.debug;
    stream.on("error", () => undefined);
    this.#winston = winston.createLogger({
      levels: { ...LEVELS },
      level,
      format: lineFormat(colored ? textLine : jsonLine),
      transports: [new winston.transports.Stream({ stream, eol: "\n" })],
      exitOnError: false,
    });
  }

  isDebugEnabled(): boolean {
    return this.#debugEnabled;
  }

  debug(event: string, fields?: LogFields): void {
    if (this.#debugEnabled) this.#write("debug", event, fields);
  }

  info(event: string, fields?: LogFields): void {
    if (this.#least >= LEVELS.info) this.#write("info", event, fields);
  }

  warn(event: string, fields?: LogFields): void {
    if (this.#least >= LEVELS.warn) this.#write("warn", event, fields);
  }

  error(event: string, fields?: LogFields): void {
    this.#write("error", event, fields);
  }

  #write(level: LogLevel, event: string, fields: LogFields = NO_FIELDS): void {
    if (level !== "error" && queuedBytes(this.#stream) > MAX_QUEUED_BYTES) {
      this.#drop();
      return;
    }
    const entry: LogEntry = { atMs: this.#clock.now(), level, event, fields };
    this.#winston.log({ level, message: event, entry });
  }

  #drop(): void {
    this.#dropped += 1;
    if (this.#dropped > 1) return;
    this.#stream.once("drain", () => {
      const lines = this.#dropped;
      this.#dropped = 0;
      this.warn("log_lines_dropped", { lines });
    });
  }
}

/** Of what is written there and not read yet; unknown streams hold nothing back. */
function queuedBytes(stream: NodeJS.WritableStream): number {
  return "writableLength" in stream ? Number(stream.writableLength) : 0;
}

/** The one format: the line is made of the entry, and nothing else of winston's is used. */
function lineFormat(line: (entry: LogEntry) => string): winston.Logform.Format {
  return winston.format((info) => {
    info[MESSAGE] = line(info["entry"] as LogEntry);
    return info;
  })();
}
