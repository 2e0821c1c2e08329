import { Command } from "commander";
import { describeConfig, type SettingDescription } from "../config/describe-config.ts";
import { readConfig } from "../config/read-config.ts";
import { showable } from "../logging/plain-text.ts";
import type { CommandPorts } from "./command-ports.ts";
import { textTable } from "./text-table.ts";

const EXAMPLE = `
Reads the same environment as the server, and writes nothing. Exits with 1 and lists every problem where the configuration is wrong.

Example:
  $ JWT_SECRET=$(openssl rand -base64 48) pmctl check-config`;

/** Prints the configuration that is in force, with secrets hidden. */
export function checkConfigCommand({ terminal, env }: CommandPorts): Command {
  return new Command("check-config")
    .description("check the configuration and print it, secrets hidden")
    .option("--json", "print JSON", false)
    .addHelpText("after", EXAMPLE)
    .action(({ json }: { readonly json: boolean }) => {
      const config = readConfig(env, undefined, { isCheck: true });
      const settings = describeConfig(config, env);
      if (json) {
        terminal.out(JSON.stringify({ settings, warnings: config.warnings }, undefined, 2));
        return;
      }
      for (const line of table(settings)) terminal.out(line);
      for (const warning of config.warnings) terminal.note(`pmctl: warning: ${showable(warning)}`);
    });
}

function table(settings: readonly SettingDescription[]): string[] {
  return textTable(settings.map(({ name, value, unit, source }) => [name, `${value} ${unit}`.trimEnd(), source]));
}
