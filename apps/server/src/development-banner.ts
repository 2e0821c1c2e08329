import type { Config } from "./config/config.ts";
import type { SecretOrigin } from "./config/token-key.ts";
import { mintToken } from "./pmctl/mint-token.ts";
import { DEFAULT_URL } from "./pmctl/server-url-option.ts";

/** A token to try things with. */
export interface SampleToken {
  readonly tenant: string;
  readonly token: string;
}

/** What a person needs who has just started a server. */
export interface DevelopmentBannerOptions {
  /** Where clients connect: `ws://host:port/ws`. */
  readonly url: string;
  /** The operations listener: `http://host:port`. */
  readonly opsUrl: string;
  /** None where the server's key only verifies. */
  readonly tokens: readonly SampleToken[];
  /** Where the command line tool finds the same secret; undefined where it would not, and is given a token. */
  readonly secretSource: SecretOrigin | undefined;
}

const SAMPLE_TENANTS = ["acme", "globex"];
const SAMPLE_TTL_SECS = 12 * 3600;
const CHANNEL = "project:42";
const PMCTL = "npx --yes pnpm@12 --silent pmctl";

/** The addresses, that of the demo first, a token for each sample tenant, and two commands to paste. */
export function developmentBanner({ url, opsUrl, tokens, secretSource }: DevelopmentBannerOptions): string {
  const socketUrl = reachable(url);
  const pages = socketUrl.replace(/^ws/, "http");
  // The demo gets its tokens from this server.
  const demo = tokens.length === 0 ? "" : `    Demo        ${new URL("/demo/", pages).href}\n`;
  const at = socketUrl === DEFAULT_URL ? "" : ` --url ${socketUrl}`;
  const identity = identityOption(tokens, secretSource);
  return `
  pm is running in development mode.

${demo}    WebSocket   ${socketUrl}
    Health      ${new URL("/health", pages).href}
    Operations  ${reachable(opsUrl)}

${tokenLines(tokens)}
  Listen, in a second terminal:

    ${PMCTL} listen${at}${identity} ${CHANNEL}

  Publish, in a third one:

    ${PMCTL} publish${at}${identity} ${CHANNEL} '{"text":"hello"}'
`;
}

/** The banner of a server with this configuration, with new tokens where its key can sign. */
export async function makeDevelopmentBanner(
  config: Config,
  { url, opsUrl }: Pick<DevelopmentBannerOptions, "url" | "opsUrl">,
): Promise<string> {
  const { tokenKey, jwtIssuer, jwtAudience } = config;
  const tenants = tokenKey.kind === "secret" ? SAMPLE_TENANTS : [];
  const tokens = tenants.map(async (tenant) => ({
    tenant,
    token: await mintToken(config, { tenant, user: "demo", ttlSecs: SAMPLE_TTL_SECS }),
  }));
  const isPlain = jwtIssuer === undefined && jwtAudience === undefined;
  const secretSource = tokenKey.kind === "secret" && isPlain ? tokenKey.origin : undefined;
  return developmentBanner({ url, opsUrl, tokens: await Promise.all(tokens), secretSource });
}

/** A tenant where the tool, in another terminal with nothing set, signs with the same secret; else a token. */
function identityOption(tokens: readonly SampleToken[], secretSource: SecretOrigin | undefined): string {
  if (secretSource?.kind === "file" && secretSource.isByDefault) return ` --tenant ${SAMPLE_TENANTS[0]}`;
  return ` --token ${tokens[0]?.token ?? "<token>"}`;
}

function tokenLines(tokens: readonly SampleToken[]): string {
  if (tokens.length === 0) return "  Tokens come from the issuer of the configured key.\n";
  const width = Math.max(...tokens.map(({ tenant }) => tenant.length));
  const lines = tokens.map(({ tenant, token }) => `    ${tenant.padEnd(width)}  ${token}\n`);
  return `  Tokens of two sample tenants, good for ${SAMPLE_TTL_SECS / 3600} hours:\n\n${lines.join("")}`;
}

/** An address that binds everything is not one to connect to. */
function reachable(address: string): string {
  return address.replace(/\/\/(?:0\.0\.0\.0|\[::\])(?=[:/]|$)/, "//127.0.0.1");
}
