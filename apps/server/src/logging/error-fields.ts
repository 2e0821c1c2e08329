import { CodedError, type ErrorLocation, parseErrorLocation } from "@pm/core";

/** How much of an error is written. */
export type ErrorDetail = "location" | "stack";

/** An error as fields of a log line. */
export interface ErrorFields {
  readonly name: string;
  readonly code: unknown;
  readonly message: string;
  readonly field: string | undefined;
  /** Where it was raised: `file:line:column`. */
  readonly at: string | undefined;
  /** The frames, innermost first; with detail `stack` only. */
  readonly stack: readonly string[] | undefined;
  /** What made it happen: mostly another error, written the same way. */
  readonly cause: unknown;
  /** Of an AggregateError. */
  readonly errors: unknown;
}

const MAX_FRAMES = 12;

/** Takes an error apart. What an error does not have is undefined. */
export function errorFields(error: Error, detail: ErrorDetail): ErrorFields {
  return {
    name: error.name,
    code: (error as { readonly code?: unknown }).code,
    message: error.message,
    field: error instanceof CodedError ? error.field : undefined,
    at: placeOf(error),
    stack: detail === "stack" ? framesOf(error) : undefined,
    cause: error.cause,
    errors: error instanceof AggregateError ? error.errors : undefined,
  };
}

function placeOf(error: Error): string | undefined {
  const location: ErrorLocation | undefined =
    error instanceof CodedError ? error.location : parseErrorLocation(framesOf(error).join("\n"), error.name);
  return location === undefined ? undefined : `${location.file}:${location.line}:${location.column}`;
}

/** Without the first part of the stack, since a message with line breaks could look like frames. */
function framesOf(error: Error): string[] {
  const stack = error.stack ?? "";
  const header = `${error.name}: ${error.message}`;
  const frames = stack.startsWith(header) ? stack.slice(header.length) : stack;
  const lines = frames.split("\n", 4 * MAX_FRAMES).map((line) => line.trim());
  return lines.filter((line) => line.startsWith("at ")).slice(0, MAX_FRAMES);
}
