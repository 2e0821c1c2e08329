import { channelKey, type ChannelRef, type Clock, sleep, type TenantId } from "@pm/core";
import type { AppendResult, Broker, BrokerListener, LogPage, PublicationDraft, ReadRequest } from "../log/broker.ts";
import { WsError } from "../ws-error.ts";
import { type BrokerFaults, NO_FAULTS } from "./broker-faults.ts";
import { ForkedLog } from "./forked-log.ts";
import { HostileListener } from "./hostile-listener.ts";
import type { SeededRandom } from "./seeded-random.ts";

const WHOLE_LOG: ReadRequest = {
  from: 0,
  direction: "forward",
  maxCount: Number.MAX_SAFE_INTEGER,
  maxBytes: Number.MAX_SAFE_INTEGER,
};

/** What a HostileBroker is made of. */
export interface HostileBrokerOptions {
  /** Has the logs. */
  readonly broker: Broker;
  /** Of the delays. */
  readonly clock: Clock;
  readonly random: SeededRandom;
  /** @default none */
  readonly faults?: Partial<BrokerFaults> | undefined;
}

/** A broker that keeps its contract and nothing beyond: late, forgetful, repeating itself, and now and then away. */
export class HostileBroker implements Broker {
  /** What goes wrong from now on. */
  faults: BrokerFaults;
  readonly #broker: Broker;
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #order = new Map<string, Promise<unknown>>();
  readonly #forks = new Map<string, ForkedLog>();
  readonly #listeners = new Map<string, Map<BrokerListener, HostileListener>>();

  constructor(options: HostileBrokerOptions) {
    this.#broker = options.broker;
    this.#clock = options.clock;
    this.#random = options.random;
    this.faults = { ...NO_FAULTS, ...options.faults };
  }

  /** Ends all faults that were set; a log that has lost its tail stays as it is. */
  calm(): void {
    this.faults = NO_FAULTS;
  }

  get memoryBytes(): number {
    return this.#broker.memoryBytes;
  }

  async append(channel: ChannelRef, draft: PublicationDraft): Promise<AppendResult> {
    const key = channelKey(channel);
    const kept = ownDraft(draft);
    const before = this.#order.get(key) ?? Promise.resolve();
    const appended = before.then(() => this.#append(channel, kept));
    const settled = appended.catch(() => undefined);
    this.#order.set(key, settled);
    void settled.then(() => this.#order.get(key) === settled && this.#order.delete(key));
    const result = await appended;
    await this.#delay(this.faults.delayAppends);
    return result;
  }

  async read(channel: ChannelRef, request: ReadRequest): Promise<LogPage> {
    await this.#delay(this.faults.delayReads);
    this.#failSometimes();
    const page = this.#forks.get(channelKey(channel))?.read(request) ?? (await this.#broker.read(channel, request));
    await this.#delay(this.faults.delayReads);
    return page;
  }

  async subscribe(channel: ChannelRef, listener: BrokerListener): Promise<void> {
    const key = channelKey(channel);
    if (this.#listeners.get(key)?.has(listener) === true) return;
    const hostile = new HostileListener(listener, {
      clock: this.#clock,
      random: this.#random,
      faults: () => this.faults,
    });
    this.#failSometimes();
    await this.#broker.subscribe(channel, hostile);
    const listeners = this.#listeners.get(key) ?? new Map<BrokerListener, HostileListener>();
    this.#listeners.set(key, listeners.set(listener, hostile));
  }

  async unsubscribe(channel: ChannelRef, listener: BrokerListener): Promise<void> {
    const key = channelKey(channel);
    const listeners = this.#listeners.get(key);
    const hostile = listeners?.get(listener);
    if (hostile === undefined) return;
    hostile.close();
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#listeners.delete(key);
    await this.#broker.unsubscribe(channel, hostile);
  }

  async renew(channel: ChannelRef, staleEpoch: string): Promise<void> {
    await this.#delay(this.faults.delayReads);
    this.#failSometimes();
    const key = channelKey(channel);
    if (this.#forks.get(key)?.epoch === staleEpoch) this.#forks.delete(key);
    await this.#broker.renew(channel, staleEpoch);
  }

  async forget(tenant: TenantId): Promise<void> {
    for (const [key, { channel }] of this.#forks) if (channel.tenant === tenant) this.#forks.delete(key);
    await this.#broker.forget(tenant);
  }

  /** Tells all listeners of a channel that entries may have been missed. */
  interrupt(channel: ChannelRef): void {
    for (const listener of this.#listenersOf(channel)) listener.onInterrupted();
  }

  /** What is in a log, without any fault. */
  async peek(channel: ChannelRef): Promise<LogPage> {
    return this.#forks.get(channelKey(channel))?.read(WHOLE_LOG) ?? (await this.#broker.read(channel, WHOLE_LOG));
  }

  /**
   * Loses the newest entries of a log for good. The epoch stays, and offsets are given again, until somebody finds out
   * and renews it. Returns how many were lost.
   */
  async loseTail(channel: ChannelRef, count: number): Promise<number> {
    const page = await this.peek(channel);
    this.#forks.set(channelKey(channel), new ForkedLog(channel, page, count));
    return Math.min(count, page.entries.length);
  }

  async close(): Promise<void> {
    for (const listeners of this.#listeners.values()) for (const listener of listeners.values()) listener.close();
    this.#forks.clear();
    await this.#broker.close();
  }

  async #append(channel: ChannelRef, draft: PublicationDraft): Promise<AppendResult> {
    await this.#delay(this.faults.delayAppends);
    const fails = this.#random.chance(this.faults.failAppends);
    if (fails && this.#random.chance(0.5)) throw WsError.unavailable("the log cannot be written for now");
    const fork = this.#forks.get(channelKey(channel));
    const result =
      fork === undefined ? await this.#broker.append(channel, draft) : this.#appendTo(fork, channel, draft);
    if (fails) throw WsError.unavailable("nobody knows whether it was appended");
    return result;
  }

  #appendTo(fork: ForkedLog, channel: ChannelRef, draft: PublicationDraft): AppendResult {
    const { result, entry } = fork.append(draft, 1 + this.#random.below(0xffff_ffff));
    if (entry !== undefined) {
      for (const listener of this.#listenersOf(channel)) listener.onEntry(fork.epoch, entry);
    }
    return result;
  }

  #listenersOf(channel: ChannelRef): Iterable<HostileListener> {
    return this.#listeners.get(channelKey(channel))?.values() ?? [];
  }

  #failSometimes(): void {
    if (this.#random.chance(this.faults.failReads)) throw WsError.unavailable("the log cannot be reached for now");
  }

  async #delay(share: number): Promise<void> {
    if (this.#random.chance(share)) await sleep(this.#clock, this.#random.below(this.faults.maxDelayMs + 1));
  }
}

/** The bytes of a draft are the caller's again when the call returns. */
function ownDraft(draft: PublicationDraft): PublicationDraft {
  const { payload } = draft;
  return payload?.kind === "data"
    ? { ...draft, payload: { kind: "data", data: Uint8Array.from(payload.data) } }
    : draft;
}
