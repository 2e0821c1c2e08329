import { CodedError } from "@pm/core";

/** The environment is not a configuration. Code `INVALID_CONFIG`; every problem is listed, none hides another. */
export class ConfigError extends CodedError<"INVALID_CONFIG"> {
  /** One line each: the name, what was given (never a secret), what is expected. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    super("INVALID_CONFIG", `configuration: ${count}\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
    this.problems = problems;
  }
}
