import type { Encoding } from "@pm/proto";
import { type Command, Option } from "commander";
import { addCredentialOptions, type CredentialOptions } from "./identity-options.ts";
import { DEFAULT_URL, parseServerUrl } from "./server-url-option.ts";

/** How and as whom to connect. */
export interface ConnectionOptions extends CredentialOptions {
  readonly url: string;
  readonly encoding: Encoding;
}

/** Adds the options of every command that connects. */
export function addConnectionOptions(command: Command): Command {
  command.addOption(new Option("--url <url>", "address of the server").default(DEFAULT_URL).argParser(parseServerUrl));
  command.addOption(
    new Option("--encoding <name>", "encoding on the wire").choices(["proto", "json"]).default("proto"),
  );
  return addCredentialOptions(command);
}
