import { type Encoding, SUBPROTOCOLS } from "@pm/proto";
import { assertId } from "./argument-checks.ts";
import { PmClientError } from "./pm-client-error.ts";
import { type Clock, systemClock } from "./platform/clock.ts";
import { type NetworkEvents, pageEvents } from "./platform/network-events.ts";
import { type Randomness, systemRandomness } from "./platform/randomness.ts";
import { type OpenSocket, openWebSocket } from "./platform/socket.ts";
import type { GetToken } from "./token/token-source.ts";

/** What a PmClient is told. */
export interface PmClientOptions {
  /** Of the server, with its path: `wss://example.com/ws`. In a browser it may be relative to the page: `/ws`. */
  readonly url: string | URL;
  /** Gives a token; called before the one there is expires, and when the server refuses it. */
  readonly getToken: GetToken;
  /**
   * How messages are written. JSON is for looking on.
   * @default "proto"
   */
  readonly encoding?: Encoding | undefined;
  /**
   * Publications that may wait for a `for await`. Over it the client leaves the channel until most are taken.
   * @default 1000
   */
  readonly maxQueuedPublications?: number | undefined;
  /**
   * Publishes without an answer that there may be, sent or not.
   * @default 1000
   */
  readonly maxPendingPublishes?: number | undefined;
  /**
   * Milliseconds for which a publish waits for a connection before it is rejected as `EXPIRED`.
   * @default 300_000
   */
  readonly maxPublishWaitMs?: number | undefined;
  /**
   * Milliseconds from opening a connection to its Welcome.
   * @default 10_000
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Milliseconds for which a command waits for its answer. When a channel or a publish has none, the connection is left
   * for another; a page of history is rejected as `TIMEOUT`.
   * @default 30_000
   */
  readonly replyTimeoutMs?: number | undefined;
  /**
   * Milliseconds that one call of `getToken` may take.
   * @default 30_000
   */
  readonly tokenTimeoutMs?: number | undefined;
  /**
   * Names this client to the server over all its connections: up to 64 bytes.
   * @default random
   */
  readonly sessionId?: string | undefined;
  /** @default the clock of the machine */
  readonly clock?: Clock | undefined;
  /** @default the randomness of the machine */
  readonly random?: Randomness | undefined;
  /** @default the events of the page; none in Node */
  readonly networkEvents?: NetworkEvents | undefined;
  /** @default the WebSocket of the platform */
  readonly openSocket?: OpenSocket | undefined;
}

/** PmClientOptions with every value present and checked. */
export interface ResolvedClientOptions {
  readonly url: string;
  readonly getToken: GetToken;
  readonly encoding: Encoding;
  readonly maxQueuedPublications: number;
  readonly maxPendingPublishes: number;
  readonly maxPublishWaitMs: number;
  readonly connectTimeoutMs: number;
  readonly replyTimeoutMs: number;
  readonly tokenTimeoutMs: number;
  readonly sessionId: string;
  readonly clock: Clock;
  readonly random: Randomness;
  readonly networkEvents: NetworkEvents;
  readonly openSocket: OpenSocket;
}

type NumberOption = {
  [Name in keyof PmClientOptions]-?: PmClientOptions[Name] extends number | undefined ? Name : never;
}[keyof PmClientOptions];

/** Query parameters in which a server refuses tokens. */
const TOKEN_PARAMETERS = ["token", "access_token", "jwt", "bearer", "auth", "authorization"];

/**
 * Fills in defaults and checks.
 * @throws PmClientError `INVALID_ARGUMENT` that names the option and its value
 */
export function resolveClientOptions(options: PmClientOptions): ResolvedClientOptions {
  const number = (name: NumberOption, fallback: number): number => {
    const value = options[name] ?? fallback;
    if (Number.isFinite(value) && value >= 1) return value;
    throw PmClientError.invalidArgument(name, `is ${value} (at least 1)`);
  };
  assertId("sessionId", options.sessionId);
  if (typeof options.getToken !== "function") throw PmClientError.invalidArgument("getToken", "is not a function");
  const encoding = options.encoding ?? "proto";
  if (!Object.hasOwn(SUBPROTOCOLS, encoding)) {
    throw PmClientError.invalidArgument("encoding", `is ${JSON.stringify(encoding)}, not "proto" or "json"`);
  }
  const random = options.random ?? systemRandomness;
  return {
    url: resolveUrl(options.url),
    getToken: options.getToken,
    encoding,
    maxQueuedPublications: number("maxQueuedPublications", 1000),
    maxPendingPublishes: number("maxPendingPublishes", 1000),
    maxPublishWaitMs: number("maxPublishWaitMs", 300_000),
    connectTimeoutMs: number("connectTimeoutMs", 10_000),
    replyTimeoutMs: number("replyTimeoutMs", 30_000),
    tokenTimeoutMs: number("tokenTimeoutMs", 30_000),
    sessionId: options.sessionId ?? random.id(),
    clock: options.clock ?? systemClock,
    random,
    networkEvents: options.networkEvents ?? pageEvents,
    openSocket: options.openSocket ?? openWebSocket,
  };
}

function resolveUrl(given: string | URL): string {
  const url = parseUrl(given);
  // WebSocket itself takes http: only in newer browsers.
  if (url.protocol === "http:" || url.protocol === "https:") url.protocol = url.protocol.replace("http", "ws");
  if (url.protocol !== "ws:" && url.protocol !== "wss:") {
    throw PmClientError.invalidArgument("url", `has the scheme ${url.protocol}, not ws: or wss:`);
  }
  const parameter = TOKEN_PARAMETERS.find((name) => url.searchParams.has(name));
  if (parameter !== undefined) throw PmClientError.invalidArgument("url", `carries a token in ${parameter}`);
  url.hash = "";
  return url.href;
}

function parseUrl(given: string | URL): URL {
  const { location } = globalThis as Partial<Pick<typeof globalThis, "location">>;
  try {
    return new URL(given, location?.href);
  } catch {
    throw PmClientError.invalidArgument("url", `is ${JSON.stringify(String(given))}, not a URL`);
  }
}
