import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseTenantId, type TenantId } from "@pm/core";
import { Command, InvalidArgumentError } from "commander";
import { plural } from "../report/quantity.ts";

/** What a load test was asked for. */
export interface LoadOptions {
  readonly url: string;
  readonly tokens: TokenSettings;
  /** Connections that read. */
  readonly subscribers: number;
  /** Connections that publish. */
  readonly publishers: number;
  /** Connections that do neither. */
  readonly idle: number;
  /** Over which readers and publications are spread. */
  readonly channels: number;
  /** Publications a second, in all. */
  readonly ratePerSec: number;
  readonly durationSecs: number;
  readonly payloadBytes: number;
  /** Readers that are cut off each second, and come back. */
  readonly cutsPerSec: number;
  readonly json: string | undefined;
  readonly html: string | undefined;
}

/** What tokens are made with, and for whom. */
export interface TokenSettings {
  readonly secret: string;
  readonly tenant: TenantId;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
}

interface Flags {
  readonly url: string;
  readonly tokenSecret?: string;
  readonly tokenSecretFile?: string;
  readonly tenant: TenantId;
  readonly issuer?: string;
  readonly audience?: string;
  readonly connections?: number;
  readonly subscribers?: number;
  readonly publishers: number;
  readonly channels: number;
  readonly rate: number;
  readonly duration: number;
  readonly payload: number;
  readonly cuts: number;
  readonly json?: string;
  readonly html?: string;
}

const SECRET_VARIABLE = "PM_TOKEN_SECRET";
const DEFAULT_SUBSCRIBERS = 100;
/** As of pmctl. */
const CALLED_IN_A_WRONG_WAY = 2;

const EXAMPLE = `
The secret is the JWT_SECRET of the server; of a development server it is in data/dev-secret. Other users of the machine
can see what is on a command line: a file, or ${SECRET_VARIABLE}, is better.
Exit codes: 0 readers saw what they were promised, 1 they did not or nobody could connect, 2 called in a wrong way.

Example:
  $ pnpm load --url ws://127.0.0.1:3000/ws --token-secret-file data/dev-secret --subscribers 200 --rate 50 --publishers 50`;

/** Reads the command line; ends the process, as commander does, for `--help` and for what cannot be. */
export function readLoadOptions(argv: readonly string[], env: NodeJS.ProcessEnv): LoadOptions {
  const command: Command = loadCommand();
  const flags = command.parse(argv, { from: "user" }).opts<Flags>();
  const secret = flags.tokenSecret ?? flags.tokenSecretFile ?? env[SECRET_VARIABLE];
  if (secret === undefined) command.error(`error: no secret: give --token-secret-file, or set ${SECRET_VARIABLE}`);
  const { publishers, connections } = flags;
  const subscribers = flags.subscribers ?? readersAmong(connections, publishers);
  const idle = (connections ?? subscribers + publishers) - subscribers - publishers;
  if (subscribers < 1 || idle < 0) {
    const clients = `${plural(Math.max(1, subscribers), "subscriber")} and ${plural(publishers, "publisher")}`;
    command.error(`error: --connections ${connections} is too few for ${clients}`);
  }
  return {
    url: flags.url,
    tokens: { secret, tenant: flags.tenant, issuer: flags.issuer, audience: flags.audience },
    subscribers,
    publishers,
    idle,
    channels: flags.channels,
    ratePerSec: flags.rate,
    durationSecs: flags.duration,
    payloadBytes: flags.payload,
    cutsPerSec: flags.cuts,
    json: flags.json,
    html: flags.html,
  };
}

function loadCommand(): Command {
  return new Command("load")
    .description("Puts load on a pm deployment, and holds what its readers saw against what was published.")
    .requiredOption("--url <url>", "WebSocket address, like ws://127.0.0.1:3000/ws", parseUrl)
    .option("--token-secret <secret>", "HS256 secret of the server")
    .option("--token-secret-file <file>", "file that holds it", secretInFile)
    .option("--tenant <id>", "tenant of the tokens", tenantId, parseTenantId("load"))
    .option("--issuer <iss>", "issuer of the tokens")
    .option("--audience <aud>", "audience of the tokens")
    .option("--connections <n>", "connections in all; those that neither read nor publish are idle", whole)
    .option("--subscribers <n>", "connections that read (default: 100, or the rest of --connections)", whole)
    .option("--publishers <n>", "connections that publish", whole, 1)
    .option("--channels <n>", "channels, over which both are spread", whole, 1)
    .option("--rate <n>", "publications a second, in all", positive, 1)
    .option("--duration <seconds>", "how long", positive, 30)
    .option("--payload <bytes>", "size of a payload", whole, 256)
    .option("--cuts <n>", "readers that are cut off each second, and come back where they were", fromZero, 0)
    .option("--json <file>", "write everything that was measured", writableFile)
    .option("--html <file>", "write a report that can be opened without a network", writableFile)
    .addHelpText("after", EXAMPLE)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : CALLED_IN_A_WRONG_WAY));
}

/** All that do not publish, where their number was given; none are idle then. */
function readersAmong(connections: number | undefined, publishers: number): number {
  return connections === undefined ? DEFAULT_SUBSCRIBERS : connections - publishers;
}

function secretInFile(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    throw invalid(error);
  }
}

/** Found out before the load, since a report that cannot be written would be lost after it. */
function writableFile(path: string): string {
  try {
    accessSync(existsSync(path) ? path : dirname(path), constants.W_OK);
    return path;
  } catch (error) {
    throw invalid(error);
  }
}

function tenantId(text: string): TenantId {
  try {
    return parseTenantId(text);
  } catch (error) {
    throw invalid(error);
  }
}

function invalid(error: unknown): InvalidArgumentError {
  return new InvalidArgumentError(error instanceof Error ? `${error.message}.` : String(error));
}

function parseUrl(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol === "ws:" || url?.protocol === "wss:") return text;
  throw new InvalidArgumentError("Expected an address like ws://host:3000/ws or wss://host/ws.");
}

function whole(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError("Expected a whole number from 1 on.");
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError("Expected a number above 0.");
}

function fromZero(text: string): number {
  return text === "0" ? 0 : positive(text);
}
