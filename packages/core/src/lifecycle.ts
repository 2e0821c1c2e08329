/** How long an ending may take. */
export interface DrainOptions {
  /** When it aborts, the rest is ended at once. */
  readonly signal?: AbortSignalLike | undefined;
}

/** The part of AbortSignal that is used. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** A part with a beginning and an end. All three may be called again without effect. */
export interface Lifecycle {
  /** Begins; rejects when it cannot. */
  start(): Promise<void>;
  /** Ends in order: takes nothing new, finishes what was begun. */
  drain(options?: DrainOptions): Promise<void>;
  /** Ends now and lets go of every resource. */
  close(): Promise<void>;
}
