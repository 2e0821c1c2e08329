import type { Lifecycle, TenantContext } from "@pm/core";
import { compactVerify, errors } from "jose";
import { AuthError } from "./auth-error.ts";
import { AuthOptionError } from "./auth-option-error.ts";
import type { Authenticator } from "./authenticator.ts";
import { Claims, contextFromClaims } from "./claims.ts";
import { MAX_TOKEN_LENGTH, readPayload, readTokenHeader, type TokenHeader } from "./compact-token.ts";
import {
  type JwksValidatorOptions,
  type JwtValidatorConfig,
  type JwtValidatorOptions,
  resolveJwtValidator,
} from "./jwt-validator-options.ts";
import { KeySet } from "./key-set.ts";
import type { KeySource } from "./key-source.ts";
import { quoted } from "./quoted-text.ts";
import { RemoteKeySet } from "./remote-key-set.ts";
import { resolveRemoteKeySet } from "./remote-key-set-options.ts";
import { VerificationGate } from "./verification-gate.ts";
import { importKey, isShortSecret, type JwtKey, MIN_SECRET_BYTES, type VerificationKey } from "./verification-key.ts";
import { VerifiedTokenCache } from "./verified-token-cache.ts";

/**
 * Verifies JWTs (RFC 7519, with the advice of RFC 8725) and says who they stand for. A token that was verified is
 * remembered until it expires, or its key is withdrawn.
 */
export class JwtValidator implements Authenticator, Lifecycle {
  /** True when an HS256 secret has less than 32 bytes and can be guessed from a token: not for production. */
  readonly secretIsShort: boolean;
  readonly #keys: KeySource;
  readonly #config: JwtValidatorConfig;
  readonly #cache: VerifiedTokenCache;
  readonly #gate: VerificationGate<TenantContext>;

  private constructor(keys: KeySource, config: JwtValidatorConfig, secretIsShort: boolean) {
    this.#keys = keys;
    this.#config = config;
    this.secretIsShort = secretIsShort;
    this.#cache = new VerifiedTokenCache(config.cache);
    this.#gate = new VerificationGate(config.gate, config.clock);
  }

  /**
   * Verifies HS256 with one secret of 32 bytes or more; text stands for its UTF-8 bytes.
   * @throws AuthOptionError for an empty secret
   */
  static withHs256(secret: string | Uint8Array, options?: JwtValidatorOptions): JwtValidator {
    return JwtValidator.withKeys([{ algorithm: "HS256", secret }], options);
  }

  /**
   * Verifies RS256 with one public key in PEM.
   * @throws AuthOptionError for what is not a public RSA key of at least 2048 bits
   */
  static withRs256(publicKeyPem: string, options?: JwtValidatorOptions): JwtValidator {
    return JwtValidator.withKeys([{ algorithm: "RS256", publicKeyPem }], options);
  }

  /**
   * Verifies with several keys, found by the `kid` of the token: for rotation. Each key has its one algorithm.
   * @throws AuthOptionError for a bad key, no key, or a `kid` that occurs twice
   */
  static withKeys(keys: readonly JwtKey[], options?: JwtValidatorOptions): JwtValidator {
    const config = resolveJwtValidator(options);
    const imported = keys.map(importKey);
    const set = new KeySet(imported);
    if (set.size === 0) throw AuthOptionError.of("keys", "are none");
    if (set.size < imported.length) throw AuthOptionError.of("kid", "occurs twice, or is absent twice");
    const short = imported.filter(isShortSecret);
    for (const { kid, material } of short) {
      const bytes = material.symmetricKeySize;
      config.logger.warn("secret_is_short", { kid, bytes, min_bytes: MIN_SECRET_BYTES });
    }
    return new JwtValidator(set, config, short.length > 0);
  }

  /**
   * Verifies RS256 with the keys of a JWKS URL, fetched by `start()` and again when a token names an unknown one.
   * @throws AuthOptionError
   */
  static withJwks(url: string | URL, options?: JwksValidatorOptions): JwtValidator {
    const keys = new RemoteKeySet(resolveRemoteKeySet(url, options));
    return new JwtValidator(keys, resolveJwtValidator(options), false);
  }

  /**
   * Gets the keys; without a JWKS URL there is nothing to do.
   * @throws AuthError `UNAVAILABLE` when the first fetch fails. The validator may be used all the same: until there are
   * keys it answers `UNAVAILABLE`, and it tries again with the next token, at most once a minute.
   */
  start(): Promise<void> {
    return this.#keys.start();
  }

  drain(): Promise<void> {
    return this.close();
  }

  close(): Promise<void> {
    return this.#keys.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Who a token stands for. Frozen, and the same object as long as the token is remembered.
   * @throws AuthError (as a rejection) and nothing else: `TOKEN_EXPIRED`, `UNAVAILABLE` with `retryAfterMs` (nothing is
   * said about the token), else `INVALID_TOKEN`, `JWT_DECODE_FAILED` or `INVALID_CLAIM`, which are one in public
   */
  authenticate(token: string): Promise<TenantContext> {
    if (typeof token !== "string") return Promise.reject(AuthError.undecodable(`it is of type ${typeof token}`));
    if (token.length > MAX_TOKEN_LENGTH) {
      return Promise.reject(AuthError.undecodable(`${token.length} characters (max ${MAX_TOKEN_LENGTH})`));
    }
    const known = this.#cache.get(token, this.#config.clock.now());
    if (known !== undefined && this.#keys.isCurrent(known.key)) return Promise.resolve(known.context);
    if (known !== undefined) this.#cache.delete(token);
    return this.#gate.run(token, () => this.#verify(token));
  }

  async #verify(token: string): Promise<TenantContext> {
    const key = await this.#keyFor(readTokenHeader(token));
    const claims = Claims.parse(readPayload(await verifySignature(token, key)));
    const { rules, clock } = this.#config;
    claims.validate(rules, clock.now());
    const context = contextFromClaims(claims);
    this.#cache.set(token, { context, key, ...claims.validity(rules) });
    return context;
  }

  async #keyFor({ algorithm, kid }: TokenHeader): Promise<VerificationKey> {
    if (!this.#keys.algorithms.includes(algorithm))
      throw AuthError.invalidToken(`alg is ${algorithm}, which no key has`);
    const key = await this.#keys.find(kid);
    if (key === undefined) throw AuthError.invalidToken(`no key for ${shownKid(kid)}`);
    if (key.algorithm !== algorithm) {
      throw AuthError.invalidToken(`alg is ${algorithm}, and the key for ${shownKid(kid)} is for ${key.algorithm}`);
    }
    return key;
  }
}

/** The payload, once the signature is known to be of the key. */
async function verifySignature(token: string, { algorithm, key }: VerificationKey): Promise<Uint8Array> {
  try {
    const { payload } = await compactVerify(token, key, { algorithms: [algorithm] });
    return payload;
  } catch (cause) {
    const isForged = cause instanceof errors.JWSSignatureVerificationFailed;
    throw AuthError.invalidToken(isForged ? "the signature is not of the key" : "jose refuses it", { cause });
  }
}

function shownKid(kid: string | undefined): string {
  return kid === undefined ? "tokens without kid" : `kid ${quoted(kid, 64)}`;
}
