/** What a log line carries beside its event; keys in snake_case. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where log lines go. One line an event, with a stable name. */
export interface Logger {
  /** True when debug lines are written: guards calls on hot paths. */
  isDebugEnabled(): boolean;
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** Writes nothing. */
export const silentLogger: Logger = {
  isDebugEnabled: () => false,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
