import type { TenantId } from "@pm/core";

/** What waits for the fan-out of a tenant, in all its channels. */
export class TenantLoad {
  readonly tenant: TenantId;
  readonly #maxPendingBytes: number;
  #pendingBytes = 0;
  #waiting: (() => void)[] = [];

  /** @param maxPendingBytes above it, the tenant's publishers are not read */
  constructor(tenant: TenantId, maxPendingBytes: number) {
    this.tenant = tenant;
    this.#maxPendingBytes = maxPendingBytes;
  }

  /** Bytes of publications that wait for their fan-out. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  get isCongested(): boolean {
    return this.#pendingBytes > this.#maxPendingBytes;
  }

  /** True when nothing is lost by forgetting it. */
  get isIdle(): boolean {
    return this.#pendingBytes === 0 && this.#waiting.length === 0;
  }

  /** What waits has grown, or shrunk. */
  add(bytes: number): void {
    this.#pendingBytes += bytes;
    if (this.#waiting.length === 0 || this.#pendingBytes > this.#maxPendingBytes / 2) return;
    const callbacks = this.#waiting;
    this.#waiting = [];
    for (const callback of callbacks) callback();
  }

  /** Calls back once, when what waits is down to half of its bound. */
  whenRelieved(callback: () => void): void {
    this.#waiting.push(callback);
  }
}
