import { Argument, Command, Option } from "commander";
import { collectChannel } from "./channel-argument.ts";
import { CommandError } from "./command-error.ts";
import type { CommandPorts } from "./command-ports.ts";
import { addConnectionOptions, type ConnectionOptions } from "./connection-options.ts";
import { parseCount } from "./count-option.ts";
import { tokenSource } from "./identity-options.ts";
import { ListenOutput } from "./listen-output.ts";
import { Listener } from "./listener.ts";
import { type Position, parsePosition } from "./position-option.ts";

interface ListenOptions extends ConnectionOptions {
  readonly since?: Position;
  readonly rewind?: number;
  readonly count?: number;
  readonly json: boolean;
}

const TOKEN_TTL_SECS = 3600;
const EXAMPLE = `
Prints a line a publication, and a line for publications that were missed. The tenant-wide channel is always listened to.
When the connection is lost it connects again and goes on where it was. Ctrl-C ends it with exit code 0.

Example:
  $ pmctl listen --tenant acme project:42
  $ pmctl listen --tenant acme --rewind 10 --json project:42 | jq .json`;

/** Prints what is published. */
export function listenCommand(ports: CommandPorts): Command {
  return addConnectionOptions(new Command("listen").description("print what is published in channels"))
    .addArgument(new Argument("[channel...]", "channels beside the tenant-wide one").argParser(collectChannel))
    .addOption(
      new Option("--since <position>", "go on after a position, for one channel")
        .argParser(parsePosition)
        .conflicts("rewind"),
    )
    .addOption(new Option("--rewind <n>", "begin with the last n publications").argParser(parseCount))
    .addOption(new Option("--count <n>", "end after n publications").argParser(parseCount))
    .option("--json", "print JSON", false)
    .addHelpText("after", EXAMPLE)
    .action((channels: readonly string[], options: ListenOptions) => listen(channels, options, ports));
}

async function listen(channels: readonly string[], options: ListenOptions, ports: CommandPorts): Promise<void> {
  const { url, encoding, since, rewind, count, json } = options;
  if (since !== undefined && channels.length !== 1) {
    throw CommandError.usage(`--since is a position in one channel, and there are ${channels.length}`);
  }
  const output = new ListenOutput(ports.terminal, { json });
  const tokens = tokenSource(options, TOKEN_TTL_SECS, ports);
  const listening = { url, encoding, channels, start: { since, rewind }, count };
  await new Listener(listening, { tokens, output, signal: ports.interrupted }).run();
}
