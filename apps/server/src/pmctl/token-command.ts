import { Command, Option } from "commander";
import type { CommandPorts } from "./command-ports.ts";
import { parseDuration } from "./duration-option.ts";
import { addIdentityOptions, type IdentityOptions, signToken } from "./identity-options.ts";

const EXAMPLE = `
The key is that of the server: JWT_SECRET, or in development the file dev-secret in DATA_DIR.

Example:
  $ pmctl token --tenant acme --user alice --role editor --grant 'subscribe,publish:project:*' --ttl 12h`;

/** Prints a token, and nothing else, on the standard output. */
export function tokenCommand(ports: CommandPorts): Command {
  return addIdentityOptions(new Command("token").description("make a token"))
    .addOption(
      new Option("--ttl <time>", "how long it is good: 90s, 15m, 12h, 30d")
        .default(3600, "1h")
        .argParser(parseDuration),
    )
    .addHelpText("after", EXAMPLE)
    .action(async (options: IdentityOptions & { readonly ttl: number }) => {
      ports.terminal.out(await signToken(options, options.ttl, ports));
    });
}
