import { CodedError } from "@pm/core";

/** A command cannot go on: it was called in a wrong way (`USAGE`), or what it does has failed (`FAILED`). */
export class CommandError extends CodedError<"USAGE" | "FAILED"> {
  static usage(message: string): CommandError {
    return new CommandError("USAGE", message);
  }

  static failed(message: string, cause?: unknown): CommandError {
    return new CommandError("FAILED", message, { cause });
  }
}
