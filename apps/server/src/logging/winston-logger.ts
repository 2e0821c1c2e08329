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

/**
 * Writes one line an event with winston. Levels below the least cost a comparison. Whatever the fields hold, a call
 * never throws, and a line has no control characters and no tokens; a reader that goes away ends nothing.
 */
export class WinstonLogger implements Logger {
  readonly #winston: winston.Logger;
  readonly #clock: Clock;
  readonly #least: number;
  readonly #debugEnabled: boolean;

  constructor(options: WinstonLoggerOptions = {}) {
    const { level = "info", colored = false, stream = process.stdout, clock = systemClock } = options;
    this.#clock = clock;
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
    const entry: LogEntry = { atMs: this.#clock.now(), level, event, fields };
    this.#winston.log({ level, message: event, entry });
  }
}

/** The one format: the line is made of the entry, and nothing else of winston's is used. */
function lineFormat(line: (entry: LogEntry) => string): winston.Logform.Format {
  return winston.format((info) => {
    info[MESSAGE] = line(info["entry"] as LogEntry);
    return info;
  })();
}
