import type { PublicErrorCode } from "@pm/proto";
import type { ErrorMessage } from "./wire/messages.ts";

/** Codes that the client raises by itself, beside those of the server. */
export type ClientErrorCode =
  /** An argument or an option is not valid. */
  | "INVALID_ARGUMENT"
  /** A message is larger than the server takes. It was not sent. */
  | "MESSAGE_TOO_LARGE"
  /** Too many publishes wait already. It was not sent. */
  | "BUFFER_FULL"
  /** A publish waited too long for a connection. It was not sent. */
  | "EXPIRED"
  /** A publish was sent and its answer was lost: it may be in the log or not. */
  | "OUTCOME_UNKNOWN"
  /** No answer came in time. */
  | "TIMEOUT"
  /** The application closed the client or left the channel. */
  | "CLOSED"
  /** The server closed the connection in a way that makes connecting again useless. */
  | "STOPPED"
  /** `getToken` failed, or gave something that is no token. */
  | "TOKEN_FAILED"
  /** Thrown by `getToken` when there will be no token again, for example after a log-out. */
  | "UNAUTHORIZED"
  /** A token of another tenant or user came while the client was in use: it stopped. */
  | "IDENTITY_CHANGED"
  /** The platform or the server does not speak pm.v1. */
  | "UNSUPPORTED"
  /** A payload is not what the channel was told to expect. */
  | "INVALID_PAYLOAD";

/** Codes of the client and of the server; a newer server may send others. */
export type PmClientErrorCode = ClientErrorCode | PublicErrorCode | (string & {});

/** What an error says beside its code and message. */
export interface PmClientErrorDetails {
  readonly cause?: unknown;
  readonly field?: string | undefined;
  readonly errorId?: string | undefined;
  readonly retryable?: boolean | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly closeCode?: number | undefined;
}

/** The one error of the client. */
export class PmClientError extends Error {
  readonly code: PmClientErrorCode;
  /** What in the message was wrong, where the server said so. */
  readonly field: string | undefined;
  /** Finds the line in the server's log. */
  readonly errorId: string | undefined;
  /** Whether trying again, later or with other means, can help. */
  readonly retryable: boolean;
  /** Milliseconds to wait before that, where the server said so. */
  readonly retryAfterMs: number | undefined;
  /** With `STOPPED`, and with what the server said just before it closed: the close code. */
  readonly closeCode: number | undefined;

  constructor(code: PmClientErrorCode, message: string, details: PmClientErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.field = details.field;
    this.errorId = details.errorId;
    this.retryable = details.retryable ?? false;
    this.retryAfterMs = details.retryAfterMs;
    this.closeCode = details.closeCode;
  }

  override get name(): string {
    return "PmClientError";
  }

  static invalidArgument(name: string, problem: string): PmClientError {
    return new PmClientError("INVALID_ARGUMENT", `${name} ${problem}`, { field: name });
  }

  static undecodable(cause: unknown): PmClientError {
    return new PmClientError("DECODE_ERROR", "a frame of the server cannot be decoded", { cause });
  }

  static bufferFull(max: number): PmClientError {
    return new PmClientError("BUFFER_FULL", `${max} publishes wait already`, { retryable: true });
  }

  static expired(waitedMs: number): PmClientError {
    return new PmClientError("EXPIRED", `no connection within ${waitedMs} ms: not published`, { retryable: true });
  }

  static outcomeUnknown(why: string, cause?: PmClientError): PmClientError {
    return new PmClientError("OUTCOME_UNKNOWN", `it may be published or not: ${why}`, { cause });
  }

  static timeout(what: string, afterMs: number): PmClientError {
    return new PmClientError("TIMEOUT", `no answer to ${what} within ${afterMs} ms`, { retryable: true });
  }

  static closed(what: string): PmClientError {
    return new PmClientError("CLOSED", `${what} was closed`);
  }

  static tokenFailed(problem: string, cause?: unknown): PmClientError {
    return new PmClientError("TOKEN_FAILED", problem, { cause, retryable: true });
  }

  /** For `getToken` to throw when there will be no token again: the client stops. */
  static unauthorized(message = "there is no token"): PmClientError {
    return new PmClientError("UNAUTHORIZED", message);
  }

  static identityChanged(was: string, is: string): PmClientError {
    return new PmClientError("IDENTITY_CHANGED", `the token is of ${is}, and this client is of ${was}`);
  }

  static unsupported(what: string): PmClientError {
    return new PmClientError("UNSUPPORTED", what);
  }

  static invalidPayload(channel: string, cause: unknown): PmClientError {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new PmClientError("INVALID_PAYLOAD", `a payload of ${channel} is not valid: ${why}`, { cause });
  }

  /** What a server said. */
  static fromServer(error: ErrorMessage, closeCode?: number): PmClientError {
    return new PmClientError(error.code, error.message, {
      field: error.field === "" ? undefined : error.field,
      errorId: error.errorId === "" ? undefined : error.errorId,
      retryable: error.retryable,
      retryAfterMs: error.retryAfterMs === 0 ? undefined : error.retryAfterMs,
      closeCode,
    });
  }

  /** The end for good. What the server said just before the close says more than the code of the close. */
  static stopped(closeCode: number, said: ErrorMessage | undefined, reason: string): PmClientError {
    if (said !== undefined) return PmClientError.fromServer(said, closeCode);
    const why = reason === "" ? "" : `: ${reason}`;
    return new PmClientError("STOPPED", `the server closed the connection with ${closeCode}${why}`, { closeCode });
  }
}
