import Bottleneck from "bottleneck";
import { AuthError } from "./auth-error.ts";
import { fetchBytes } from "./fetch-bytes.ts";
import { type KeySetDocument, readKeySetDocument } from "./key-set-document.ts";
import { KeySet } from "./key-set.ts";
import type { KeySource } from "./key-source.ts";
import type { JwtAlgorithm } from "./jwt-algorithm.ts";
import { isClearText, type RemoteKeySetConfig } from "./remote-key-set-options.ts";
import { readUniqueJson } from "./unique-json.ts";
import type { VerificationKey } from "./verification-key.ts";

/** What a token is told that finds the queue for the key set full, or comes after its end: another process may know. */
const RETRY_MS = 1000;

/**
 * RS256 keys from a JWKS URL. They are fetched at the start, on an unknown `kid`, and when they are old and a token
 * comes; one fetch at a time, at most one a minute, and a failed one leaves the keys as they are. A set without a
 * usable key counts as failed.
 */
export class RemoteKeySet implements KeySource {
  readonly algorithms: readonly JwtAlgorithm[] = ["RS256"];
  readonly #config: RemoteKeySetConfig;
  /** One fetch at a time; tokens with an unknown `kid` wait in its bounded queue. */
  readonly #fetches: Bottleneck;
  readonly #closing = new AbortController();
  #keys = new KeySet([]);
  #lastAttemptMs = Number.NEGATIVE_INFINITY;
  #lastSuccessMs = Number.NEGATIVE_INFINITY;
  /** Why the last fetch failed; undefined when it did not. */
  #failure: unknown;
  #isFetching = false;
  #isRefreshing = false;

  constructor(config: RemoteKeySetConfig) {
    this.#config = config;
    const strategy = Bottleneck.strategy.OVERFLOW;
    this.#fetches = new Bottleneck({ maxConcurrent: 1, highWater: config.maxWaitingForKeys, strategy });
    if (isClearText(config.url)) config.logger.warn("keys_in_clear_text", { url: shownUrl(config.url) });
  }

  /**
   * Fetches the keys, unless they are there.
   * @throws AuthError `UNAVAILABLE` when that fails. Later tokens try again, at most once a minute.
   */
  async start(): Promise<void> {
    if (this.#keys.size === 0) await this.#fetchWhen(() => this.#keys.size === 0);
    if (this.#keys.size === 0) throw this.#unavailable();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#closing.abort(new Error("closed"));
    await this.#fetches.stop({ dropWaitingJobs: true });
  }

  find(kid: string | undefined): VerificationKey | undefined | Promise<VerificationKey | undefined> {
    this.#refreshWhenOld();
    return this.#keys.has(kid) ? this.#keys.find(kid) : this.#lookUp(kid);
  }

  /** Looks at the age of the keys too: where only known tokens come, nothing else does. */
  isCurrent(key: VerificationKey): boolean {
    this.#refreshWhenOld();
    return this.#keys.isCurrent(key);
  }

  async #lookUp(kid: string | undefined): Promise<VerificationKey | undefined> {
    if (this.#isFetching || this.#mayFetch()) await this.#fetchWhen(() => !this.#keys.has(kid));
    const key = this.#keys.find(kid);
    // After a failure, and after the end, nobody can say that there is no such key.
    if (key === undefined && (this.#failure !== undefined || this.#isClosed)) throw this.#unavailable();
    return key;
  }

  #refreshWhenOld(): void {
    const isOld = this.#now() - this.#lastSuccessMs >= this.#config.maxAgeMs;
    if (!isOld || this.#keys.size === 0 || this.#isRefreshing || !this.#mayFetch()) return;
    this.#isRefreshing = true;
    this.#fetchWhen(() => true)
      .catch((error: unknown) => this.#config.logger.warn("keys_refresh_dropped", { reason: reasonOf(error) }))
      .finally(() => {
        this.#isRefreshing = false;
      });
  }

  /** Takes its turn, then fetches if that is still wanted and allowed. Rejects only when there was no turn. */
  async #fetchWhen(isWanted: () => boolean): Promise<void> {
    try {
      await this.#fetches.schedule(async () => {
        if (isWanted() && this.#mayFetch()) await this.#fetch();
      });
    } catch (cause) {
      if (this.#isClosed) throw this.#unavailable();
      throw AuthError.unavailable("too many tokens wait for the key set", RETRY_MS, cause);
    }
  }

  async #fetch(): Promise<void> {
    const { clock, logger, url } = this.#config;
    this.#lastAttemptMs = clock.monotonic();
    this.#isFetching = true;
    try {
      const document = await this.#fetchDocument();
      this.#keys = this.#keys.replacedBy(document.keys);
      this.#lastSuccessMs = clock.monotonic();
      this.#failure = undefined;
      logger.info("keys_fetched", { url: shownUrl(url), keys: this.#keys.size, ignored: document.ignored });
    } catch (cause) {
      this.#failure = cause;
      logger.warn("keys_fetch_failed", { url: shownUrl(url), reason: reasonOf(cause), kept: this.#keys.size });
    } finally {
      this.#isFetching = false;
    }
  }

  async #fetchDocument(): Promise<KeySetDocument> {
    const { clock, fetchTimeoutMs, maxKeySetBytes, url } = this.#config;
    const timeout = new AbortController();
    const cancel = clock.after(fetchTimeoutMs, () => timeout.abort(new Error(`more than ${fetchTimeoutMs} ms`)));
    try {
      const signal = AbortSignal.any([timeout.signal, this.#closing.signal]);
      return parseDocument(await fetchBytes(url, { signal, maxBytes: maxKeySetBytes }));
    } finally {
      cancel();
    }
  }

  #mayFetch(): boolean {
    return !this.#isClosed && this.#now() - this.#lastAttemptMs >= this.#config.minFetchIntervalMs;
  }

  #unavailable(): AuthError {
    if (this.#isClosed) return AuthError.unavailable("the validator is closed", RETRY_MS);
    const waitMs = this.#lastAttemptMs + this.#config.minFetchIntervalMs - this.#now();
    return AuthError.unavailable("the key set could not be fetched", Math.max(1, waitMs), this.#failure);
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  #now(): number {
    return this.#config.clock.monotonic();
  }
}

function parseDocument(bytes: Uint8Array): KeySetDocument {
  const json = readUniqueJson(bytes);
  if (json.kind === "refused") throw new Error(json.reason);
  const document = readKeySetDocument(json.value);
  if (document === undefined) throw new Error("not a JWK Set");
  if (document.keys.length === 0) throw new Error(`no RS256 key among ${document.ignored} keys`);
  return document;
}

/** Without the query, which may have a key in it. */
function shownUrl(url: URL): string {
  return url.origin + url.pathname;
}

/** `fetch` has the reason in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`;
}
