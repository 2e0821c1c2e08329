import type { LogFields, Logger } from "../logger.ts";

/** One line that was logged. */
export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly event: string;
  readonly fields: LogFields;
}

/** Keeps every line, debug too. */
export class RecordingLogger implements Logger {
  readonly lines: LogLine[] = [];

  isDebugEnabled(): boolean {
    return true;
  }

  debug(event: string, fields: LogFields = {}): void {
    this.lines.push({ level: "debug", event, fields });
  }

  info(event: string, fields: LogFields = {}): void {
    this.lines.push({ level: "info", event, fields });
  }

  warn(event: string, fields: LogFields = {}): void {
    this.lines.push({ level: "warn", event, fields });
  }

  error(event: string, fields: LogFields = {}): void {
    this.lines.push({ level: "error", event, fields });
  }
}
