import type { JwtAlgorithm } from "./jwt-algorithm.ts";
import type { VerificationKey } from "./verification-key.ts";

/** Where the validator gets its keys from. */
export interface KeySource {
  /** The algorithms of its keys: tokens of others are refused before a key is looked for. */
  readonly algorithms: readonly JwtAlgorithm[];
  /** Begins; rejects when there are no keys yet. */
  start(): Promise<void>;
  /** Ends now. */
  close(): Promise<void>;
  /**
   * The key for tokens with this `kid`, at once where it is known; undefined when there is none.
   * @throws AuthError `UNAVAILABLE` (or a rejection with it) where nobody can know now
   */
  find(kid: string | undefined): VerificationKey | undefined | Promise<VerificationKey | undefined>;
  /** False for a key that has been withdrawn: what it verified is no longer good. */
  isCurrent(key: VerificationKey): boolean;
}
