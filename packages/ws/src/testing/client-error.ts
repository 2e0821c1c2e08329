/** A request was answered with an Error. */
export class RefusedError extends Error {
  readonly code: string;
  readonly field: string;
  readonly retryAfterMs: number;

  constructor({
    code,
    message,
    field,
    retryAfterMs,
  }: { code: string; message: string; field: string; retryAfterMs: number }) {
    super(`${code}: ${message}`);
    this.code = code;
    this.field = field;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The connection ended, or never began. What was asked for may have happened. */
export class DisconnectedError extends Error {
  /** The close code; the HTTP status of a refused handshake. */
  readonly code: number;

  constructor(code: number, reason: string) {
    super(`${code} ${reason}`.trim());
    this.code = code;
  }
}
