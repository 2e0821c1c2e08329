import { createHash, timingSafeEqual } from "node:crypto";
import { isLoopback, type ListenAddress } from "../config/listen-address.ts";
import { isLoopbackHost } from "../listener/loopback-host.ts";

/** What of a request decides whether it may pass. */
export interface OpsCredentials {
  /** The Host header, or `:authority`. */
  readonly host?: string | undefined;
  readonly authorization?: string | undefined;
}

/** Why a request may not pass. */
export interface OpsRefusal {
  readonly status: 401 | 403;
  readonly code: "MISSING_AUTH_HEADER" | "INVALID_AUTH_SCHEME" | "INVALID_KEY" | "FORBIDDEN_HOST";
  readonly message: string;
}

const BEARER = /^Bearer +(?<key>\S+) *$/i;
const REFUSALS = {
  host: { status: 403, code: "FORBIDDEN_HOST", message: "The Host header names another machine." },
  missing: { status: 401, code: "MISSING_AUTH_HEADER", message: "The key of the operations listener is required." },
  scheme: {
    status: 401,
    code: "INVALID_AUTH_SCHEME",
    message: "The Authorization header must be of the scheme Bearer.",
  },
  wrong: { status: 401, code: "INVALID_KEY", message: "The key is not the one of the operations listener." },
} as const satisfies Record<string, OpsRefusal>;

/** Who may use the operations listener: whoever has the key, where there is one. */
export class OpsGuard {
  readonly #keyHash: Buffer | undefined;
  readonly #isLoopback: boolean;

  constructor(options: { readonly key: string | undefined; readonly boundTo: ListenAddress }) {
    this.#keyHash = options.key === undefined ? undefined : hashOf(options.key);
    this.#isLoopback = isLoopback(options.boundTo);
  }

  /** Undefined: the request was meant for this machine. */
  refuseHost({ host }: OpsCredentials): OpsRefusal | undefined {
    return this.#isLoopback && !isLoopbackHost(host) ? REFUSALS.host : undefined;
  }

  /** Undefined: it has the key, or none is needed. */
  refuseKey({ authorization }: OpsCredentials): OpsRefusal | undefined {
    if (this.#keyHash === undefined) return undefined;
    if (authorization === undefined) return REFUSALS.missing;
    const key = BEARER.exec(authorization)?.groups?.["key"];
    if (key === undefined) return REFUSALS.scheme;
    return timingSafeEqual(hashOf(key), this.#keyHash) ? undefined : REFUSALS.wrong;
  }
}

/** Of one length for all keys, so that comparing takes the same time for all. */
function hashOf(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
