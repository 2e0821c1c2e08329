/** What a publish may say beside its data. */
export interface PublishOptions {
  /** Free name of what happened: up to 64 bytes. */
  readonly event?: string | undefined;
  /**
   * Publishes to the channel with the same key are one, within the window of the server: 1 to 64 bytes.
   * @default random
   */
  readonly idempotencyKey?: string | undefined;
  /** W3C traceparent: up to 128 bytes. */
  readonly traceParent?: string | undefined;
}
