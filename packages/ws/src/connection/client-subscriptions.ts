import { type ChannelName, TENANT_CHANNEL } from "@pm/core";
import type { Subscription } from "../fanout/subscription.ts";

/** The channels of one connection. The tenant-wide one takes no slot. */
export class ClientSubscriptions {
  #tenant: Subscription | undefined;
  #byName: Map<ChannelName, Subscription> | undefined;

  /** Slots in use. */
  get size(): number {
    return this.#byName?.size ?? 0;
  }

  get(name: ChannelName): Subscription | undefined {
    return name === TENANT_CHANNEL ? this.#tenant : this.#byName?.get(name);
  }

  add(subscription: Subscription): void {
    const { name } = subscription.channel.ref;
    if (name === TENANT_CHANNEL) this.#tenant = subscription;
    else (this.#byName ??= new Map()).set(name, subscription);
  }

  delete(name: ChannelName): Subscription | undefined {
    const subscription = this.get(name);
    if (name === TENANT_CHANNEL) this.#tenant = undefined;
    else this.#byName?.delete(name);
    return subscription;
  }

  *[Symbol.iterator](): Generator<Subscription> {
    if (this.#tenant !== undefined) yield this.#tenant;
    if (this.#byName !== undefined) yield* this.#byName.values();
  }
}
