import { type Clock, type Logger, silentLogger, systemClock } from "@pm/core";
import { AuthOptionError, resolveCount } from "./auth-option-error.ts";

/** How keys are fetched from a JWKS URL. */
export interface RemoteKeySetOptions {
  /**
   * Milliseconds between the beginnings of two fetches, at least.
   * @default 60_000
   */
  minFetchIntervalMs?: number | undefined;
  /**
   * Milliseconds after which the keys are fetched again when the next token comes, so that withdrawn ones are noticed.
   * @default 600_000
   */
  maxAgeMs?: number | undefined;
  /**
   * Milliseconds a fetch may take.
   * @default 4_000
   */
  fetchTimeoutMs?: number | undefined;
  /**
   * Bytes a key set may have.
   * @default 131_072
   */
  maxKeySetBytes?: number | undefined;
  /**
   * Tokens that may wait for a fetch; the others are told `UNAVAILABLE`.
   * @default 64
   */
  maxWaitingForKeys?: number | undefined;
  /** @default the machine's */
  clock?: Clock | undefined;
  /** @default none */
  logger?: Logger | undefined;
}

/** The resolved form. */
export interface RemoteKeySetConfig {
  readonly url: URL;
  readonly minFetchIntervalMs: number;
  readonly maxAgeMs: number;
  readonly fetchTimeoutMs: number;
  readonly maxKeySetBytes: number;
  readonly maxWaitingForKeys: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const DAY_MS = 86_400_000;
const MEGABYTE = 1_048_576;

/**
 * Fills in defaults and checks.
 * @throws AuthOptionError also for a URL that is not http or https, or has a password in it
 */
export function resolveRemoteKeySet(url: string | URL, options: RemoteKeySetOptions = {}): RemoteKeySetConfig {
  const count = (option: "minFetchIntervalMs" | "maxAgeMs" | "fetchTimeoutMs", byDefault: number): number =>
    resolveCount(option, options[option], { min: 1, max: DAY_MS, byDefault });
  const bytes = { min: 1, max: MEGABYTE, byDefault: 131_072 };
  return {
    url: resolveUrl(url),
    minFetchIntervalMs: count("minFetchIntervalMs", 60_000),
    maxAgeMs: count("maxAgeMs", 600_000),
    fetchTimeoutMs: count("fetchTimeoutMs", 4_000),
    maxKeySetBytes: resolveCount("maxKeySetBytes", options.maxKeySetBytes, bytes),
    maxWaitingForKeys: resolveCount("maxWaitingForKeys", options.maxWaitingForKeys, {
      min: 1,
      max: 10_000,
      byDefault: 64,
    }),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  };
}

/** True for a URL whose answer can be forged on the way. */
export function isClearText(url: URL): boolean {
  return url.protocol === "http:" && !/^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
}

function resolveUrl(given: string | URL): URL {
  const url = URL.parse(String(given));
  if (url === null) throw AuthOptionError.of("url", "is not a URL");
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw AuthOptionError.of("url", `has the protocol ${url.protocol}, not https: or http:`);
  }
  if (url.username !== "" || url.password !== "") throw AuthOptionError.of("url", "has a user or password in it");
  return url;
}
