import { type ChannelName, TENANT_CHANNEL } from "@pm/core";
import type { Subscription } from "../fanout/subscription.ts";

/** Up to this many beside the first, a list is searched as fast as a map, and takes a fifth of its memory. */
const LISTED = 7;

/** The channels of one connection. The tenant-wide one takes no slot. */
export class ClientSubscriptions {
  #tenant: Subscription | undefined;
  /** Most connections have this one, and no others. */
  #first: Subscription | undefined;
  #others: Subscription[] | undefined;
  #byName: Map<ChannelName, Subscription> | undefined;
  /** Subscriptions that have been asked for and have not begun. */
  onTheirWay = 0;

  /** Slots in use. */
  get size(): number {
    if (this.#byName !== undefined) return this.#byName.size;
    return (this.#first === undefined ? 0 : 1) + (this.#others?.length ?? 0);
  }

  get(name: ChannelName): Subscription | undefined {
    if (name === TENANT_CHANNEL) return this.#tenant;
    if (this.#byName !== undefined) return this.#byName.get(name);
    if (this.#first?.channel.ref.name === name) return this.#first;
    return this.#others?.find((subscription) => subscription.channel.ref.name === name);
  }

  add(subscription: Subscription): void {
    const { name } = subscription.channel.ref;
    if (name === TENANT_CHANNEL) this.#tenant = subscription;
    else if (this.#byName !== undefined) this.#byName.set(name, subscription);
    else if (this.#first === undefined) this.#first = subscription;
    else if (this.#others === undefined) this.#others = [subscription];
    else if (this.#others.length < LISTED) this.#others.push(subscription);
    else {
      const all = [this.#first, ...this.#others, subscription];
      this.#byName = new Map(all.map((each) => [each.channel.ref.name, each]));
      this.#first = undefined;
      this.#others = undefined;
    }
  }

  delete(name: ChannelName): Subscription | undefined {
    const subscription = this.get(name);
    if (name === TENANT_CHANNEL) this.#tenant = undefined;
    else if (this.#byName !== undefined) this.#byName.delete(name);
    else if (this.#first === subscription) this.#first = undefined;
    else this.#others = this.#others?.filter((other) => other !== subscription);
    return subscription;
  }

  *[Symbol.iterator](): Generator<Subscription> {
    if (this.#tenant !== undefined) yield this.#tenant;
    if (this.#first !== undefined) yield this.#first;
    yield* this.#byName?.values() ?? this.#others ?? [];
  }
}
