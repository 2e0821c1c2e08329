import { type ErrorLocation, parseErrorLocation } from "./error-location.ts";

/** What an error says beside its code and message. */
export interface CodedErrorDetails {
  /** What made it happen; for the log, never for a client. */
  readonly cause?: unknown;
  /** The field of the input that was wrong, as a client may see it. */
  readonly field?: string | undefined;
  /** Milliseconds after which trying again makes sense. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * The base of all errors of pm: a stable code from a closed set, a message for the log that names the value and the
 * limit, the place where it was raised, and a cause. What a client may see of it is made by `toClientError` in
 * `@pm/proto`.
 */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly field: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: Code, message: string, details: CodedErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.field = details.field;
    this.retryAfterMs = details.retryAfterMs;
  }

  override get name(): string {
    return this.constructor.name;
  }

  /** Where it was raised. Read from the stack on each call: costs nothing until it is wanted. */
  get location(): ErrorLocation | undefined {
    return parseErrorLocation(framesOf(this), this.constructor.name);
  }
}

/** The stack without its first part, since a message with line breaks could look like frames. */
function framesOf(error: Error): string | undefined {
  const header = `${error.name}: ${error.message}`;
  const stack: unknown = error.stack;
  // `Error.prepareStackTrace` of somebody else may make anything of it.
  if (typeof stack !== "string") return undefined;
  return stack.startsWith(header) ? stack.slice(header.length) : stack;
}
