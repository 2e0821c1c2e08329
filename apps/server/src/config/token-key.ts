/** With what tokens are verified. */
export type TokenKey = SecretKey | PublicKey | RemoteKeys;

/** One HS256 secret, which also signs. */
export interface SecretKey {
  readonly kind: "secret";
  /** Stands for its UTF-8 bytes. */
  readonly secret: string;
  readonly origin: SecretOrigin;
}

/** Where a secret was found. */
export type SecretOrigin =
  | { readonly kind: "environment" }
  /** The file in the data folder, in development alone. */
  | {
      readonly kind: "file";
      readonly path: string;
      /** True where `DATA_DIR` is not set, so that whoever sets nothing finds the same file. */
      readonly isByDefault: boolean;
    };

/** One RS256 key, which verifies only. */
export interface PublicKey {
  readonly kind: "publicKey";
  /** An RSA key of 2048 bits or more. */
  readonly pem: string;
}

/** Keys that are fetched. */
export interface RemoteKeys {
  readonly kind: "jwks";
  readonly url: string;
}

/** Bytes that an HS256 secret should have at least: as many as the hash (RFC 7518, section 3.2). */
export const MIN_SECRET_BYTES = 32;
