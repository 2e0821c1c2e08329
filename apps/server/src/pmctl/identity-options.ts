import { type Grant, isTenantId } from "@pm/core";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Environment } from "../config/environment.ts";
import { readConfig } from "../config/read-config.ts";
import { CommandError } from "./command-error.ts";
import type { CommandPorts } from "./command-ports.ts";
import { collectGrant } from "./grant-option.ts";
import { mintToken, type TokenRequest } from "./mint-token.ts";

/** Whom a token is for. */
export interface IdentityOptions {
  readonly tenant?: string;
  readonly user: string;
  readonly role: readonly string[];
  readonly grant?: readonly Grant[];
}

/** The same, or a token that exists. */
export interface CredentialOptions extends IdentityOptions {
  readonly token?: string;
}

/** Gives a token that is good now. */
export interface TokenSource {
  /** True when each call signs a new one. */
  readonly renews: boolean;
  get(): Promise<string>;
}

const MAX_NAME_BYTES = 128;

/** Adds the options that say whom a token is for. */
export function addIdentityOptions(command: Command): Command {
  return command
    .addOption(new Option("--tenant <id>", "tenant of the token").argParser(parseTenant))
    .addOption(new Option("--user <id>", "user of the token").default("pmctl").argParser(parseName))
    .addOption(new Option("--role <role>", "role of the token (repeatable)").default([], "none").argParser(collectRole))
    .addOption(
      new Option(
        "--grant <actions:pattern>",
        "channels of the token, as in subscribe,publish:project:* or all:* (repeatable; default: whatever the server allows)",
      ).argParser(collectGrant),
    );
}

/** Adds the same options, and one for a token that exists. */
export function addCredentialOptions(command: Command): Command {
  return addIdentityOptions(
    command.addOption(
      new Option("--token <jwt>", "token to connect with, instead of one made for --tenant").conflicts("tenant"),
    ),
  );
}

/**
 * Signs a token with the key of the environment.
 * @throws ConfigError, or CommandError where no tenant is named or no key signs
 */
export async function signToken(options: IdentityOptions, ttlSecs: number, ports: CommandPorts): Promise<string> {
  const { tenant } = options;
  if (tenant === undefined) throw CommandError.usage("--tenant is required");
  return mintToken(configOf(ports), requestOf(tenant, options, ttlSecs));
}

/** The token of the options, or a source of new ones. */
export function tokenSource(options: CredentialOptions, ttlSecs: number, ports: CommandPorts): TokenSource {
  const { token, tenant } = options;
  if (token !== undefined) return { renews: false, get: () => Promise.resolve(token) };
  if (tenant === undefined) throw CommandError.usage("--token or --tenant is required");
  const config = configOf(ports);
  return { renews: true, get: () => mintToken(config, requestOf(tenant, options, ttlSecs)) };
}

function configOf({
  env,
  terminal,
}: {
  readonly env: Environment;
  readonly terminal: CommandPorts["terminal"];
}): ReturnType<typeof readConfig> {
  const config = readConfig(env);
  for (const warning of config.warnings.filter((line) => line.startsWith("JWT_") || line.startsWith("DATA_DIR"))) {
    terminal.note(`pmctl: warning: ${warning}`);
  }
  return config;
}

function requestOf(tenant: string, { user, role, grant }: IdentityOptions, ttlSecs: number): TokenRequest {
  return { tenant, user, roles: role, grants: grant, ttlSecs };
}

/** Reads the id of a tenant. */
export function parseTenant(text: string): string {
  if (isTenantId(text)) return text;
  throw new InvalidArgumentError("Expected 1 to 128 of A-Z a-z 0-9 . _ - that begin with a letter or digit.");
}

function parseName(text: string): string {
  const size = Buffer.byteLength(text);
  if (size >= 1 && size <= MAX_NAME_BYTES) return text;
  throw new InvalidArgumentError(`Expected 1 to ${MAX_NAME_BYTES} bytes.`);
}

function collectRole(text: string, previous: readonly string[]): readonly string[] {
  return [...previous, parseName(text)];
}
