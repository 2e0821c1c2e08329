import { CodedError } from "./coded-error.ts";

/** A name from outside is not in its grammar. Code `INVALID_NAME`; `field` says which name. */
export class NameError extends CodedError<"INVALID_NAME"> {
  static outsideGrammar(field: string, value: unknown, grammar: string): NameError {
    return new NameError("INVALID_NAME", `${field} ${describe(value)} is not ${grammar}`, { field });
  }
}

function describe(value: unknown): string {
  if (typeof value !== "string") return `of type ${typeof value}`;
  const shown = JSON.stringify(value.slice(0, 64));
  return value.length > 64 ? `${shown}… (${value.length} characters)` : shown;
}
