import { CodedError } from "@pm/core";
import { Command, CommanderError } from "commander";
import { ConfigError } from "../config/config-error.ts";
import { showable } from "../logging/plain-text.ts";
import { checkConfigCommand } from "./check-config-command.ts";
import { CommandError } from "./command-error.ts";
import type { CommandPorts } from "./command-ports.ts";
import { connectionsCommand } from "./connections-command.ts";
import { listenCommand } from "./listen-command.ts";
import { publishCommand } from "./publish-command.ts";
import { tenantCommand } from "./tenant-command.ts";
import { tokenCommand } from "./token-command.ts";

/** What the process exits with. */
export const ExitCode = {
  DONE: 0,
  /** What was asked for could not be done. */
  FAILED: 1,
  /** It was asked for in a wrong way. */
  USAGE: 2,
} as const;

/** One of the codes of `ExitCode`. */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

const COMMANDS: readonly ((ports: CommandPorts) => Command)[] = [
  tokenCommand,
  listenCommand,
  publishCommand,
  tenantCommand,
  connectionsCommand,
  checkConfigCommand,
];

const EXAMPLE = `
Example:
  $ pmctl listen --tenant acme project:42
  $ pmctl publish --tenant acme project:42 '{"text":"hello"}'

Exit codes: 0 done, 1 failed, 2 called in a wrong way.`;

/** Runs one command line, without the name of the program. Problems are told on the standard error. */
export async function runPmctl(args: readonly string[], ports: CommandPorts): Promise<ExitCode> {
  try {
    if (args.length === 0) throw CommandError.usage("a command is required (pmctl --help lists them)");
    await program(ports).parseAsync([...args], { from: "user" });
    return ExitCode.DONE;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return ExitCode.DONE;
    for (const line of linesOf(error)) ports.terminal.note(showable(line));
    return isMisuse(error) ? ExitCode.USAGE : ExitCode.FAILED;
  }
}

function program(ports: CommandPorts): Command {
  const pmctl = new Command("pmctl")
    .description("The command line of pm.")
    .usage("<command> [options]")
    .helpCommand(false)
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureOutput({
      writeOut: (text) => void ports.terminal.out(text.trimEnd()),
      // An error is told once, by whoever catches it.
      writeErr: () => undefined,
    })
    .addHelpText("after", EXAMPLE);
  for (const make of COMMANDS) pmctl.addCommand(inheriting(make(ports), pmctl));
  return pmctl;
}

/** A command with the settings of its parent, and its own commands with them too. */
function inheriting(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inheriting(child, command);
  return command;
}

function isMisuse(error: unknown): boolean {
  return error instanceof CommanderError || (error instanceof CommandError && error.code === "USAGE");
}

function linesOf(error: unknown): string[] {
  if (error instanceof ConfigError) return error.problems.map((problem) => `pmctl: ${problem}`);
  if (error instanceof CommanderError && error.code === "commander.help") {
    return ["pmctl: a command is required (--help lists them)"];
  }
  if (error instanceof CommanderError)
    return [`pmctl: ${error.message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ")}`];
  if (error instanceof CodedError) return [`pmctl: ${error.message}`];
  return [`pmctl: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`];
}
