import { type ChannelName, TENANT_CHANNEL } from "@pm/core";
import type { Subscription } from "../fanout/subscription.ts";

/** Up to this many, a list is searched as fast as a map, and takes a fifth of its memory. */
const LISTED = 8;

/** The channels of one connection. The tenant-wide one takes no slot. */
export class ClientSubscriptions {
  #tenant: Subscription | undefined;
  #list: Subscription[] | undefined;
  #byName: Map<ChannelName, Subscription> | undefined;
  /** Subscriptions that have been asked for and have not begun. */
  onTheirWay = 0;

  /** Slots in use. */
  get size(): number {
    return this.#byName?.size ?? this.#list?.length ?? 0;
  }

  get(name: ChannelName): Subscription | undefined {
    if (name === TENANT_CHANNEL) return this.#tenant;
    if (this.#byName !== undefined) return this.#byName.get(name);
    return this.#list?.find((subscription) => subscription.channel.ref.name === name);
  }

  add(subscription: Subscription): void {
    const { name } = subscription.channel.ref;
    if (name === TENANT_CHANNEL) this.#tenant = subscription;
    else if (this.#byName !== undefined) this.#byName.set(name, subscription);
    else if (this.#list === undefined) this.#list = [subscription];
    else if (this.#list.length < LISTED) this.#list.push(subscription);
    else this.#becomeMap(subscription);
  }

  delete(name: ChannelName): Subscription | undefined {
    const subscription = this.get(name);
    if (name === TENANT_CHANNEL) this.#tenant = undefined;
    else if (this.#byName !== undefined) this.#byName.delete(name);
    else this.#list = this.#list?.filter((other) => other !== subscription);
    return subscription;
  }

  *[Symbol.iterator](): Generator<Subscription> {
    if (this.#tenant !== undefined) yield this.#tenant;
    yield* this.#byName?.values() ?? this.#list ?? [];
  }

  #becomeMap(added: Subscription): void {
    this.#byName = new Map();
    for (const subscription of [...(this.#list ?? []), added]) {
      this.#byName.set(subscription.channel.ref.name, subscription);
    }
    this.#list = undefined;
  }
}
