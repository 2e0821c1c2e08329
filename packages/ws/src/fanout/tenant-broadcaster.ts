import {
  type CancelTimer,
  type ChannelRef,
  type Clock,
  type Logger,
  nameInTenant,
  TENANT_CHANNEL,
  type TenantId,
} from "@pm/core";
import type { ChannelKinds } from "../channel-kinds.ts";
import type { AppendResult, Awaitable, Broker, PublicationDraft } from "../log/broker.ts";
import { WsError } from "../ws-error.ts";
import { LiveChannel, type LiveChannelOwner } from "./live-channel.ts";
import type { Run } from "./run.ts";
import { TenantLoad } from "./tenant-load.ts";
import type { TurnScheduler } from "./turn-scheduler.ts";

/** What a broadcaster is made of. */
export interface TenantBroadcasterPorts {
  readonly broker: Broker;
  readonly scheduler: TurnScheduler;
  readonly kinds: ChannelKinds;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A run was offered to all subscriptions of its channel. */
  readonly onFannedOut: (run: Run, subscriptions: number) => void;
}

/** Bounds of a broadcaster. */
export interface TenantBroadcasterLimits {
  /** Bytes of one tenant's publications that may wait for their fan-out; above it, its publishers are not read. */
  readonly maxPendingBytes: number;
  /** Channels of one tenant that may have subscribers here; asked for each new one, so that it can change. */
  readonly maxChannelsOf: (tenant: TenantId) => number;
}

/** The channels of one tenant that somebody here holds, and what waits in them. */
interface TenantChannels {
  readonly load: TenantLoad;
  readonly byName: Map<string, LiveChannel>;
}

const VERIFY_TICK_MS = 100;
/** Ticks in which each channel is compared with its log once: 5 s. */
const VERIFY_TICKS = 50;

/** The local fan-out: which channels have subscribers here, and how publications come to them. */
export class TenantBroadcaster {
  readonly #ports: TenantBroadcasterPorts;
  readonly #limits: TenantBroadcasterLimits;
  readonly #tenants = new Map<TenantId, TenantChannels>();
  readonly #opening = new Map<LiveChannel, Promise<void>>();
  readonly #owner: LiveChannelOwner;
  readonly #cancelVerify: CancelTimer;
  #verifying: Iterator<LiveChannel> | undefined;

  constructor(ports: TenantBroadcasterPorts, limits: TenantBroadcasterLimits) {
    this.#ports = ports;
    this.#limits = limits;
    this.#owner = {
      broker: ports.broker,
      scheduler: ports.scheduler,
      clock: ports.clock,
      logger: ports.logger,
      onFannedOut: ports.onFannedOut,
      release: (channel) => this.release(channel),
    };
    this.#cancelVerify = ports.clock.every(VERIFY_TICK_MS, () => this.#verifySome());
  }

  /** Channels with a subscriber here. */
  get channelCount(): number {
    let channels = 0;
    for (const { byName } of this.#tenants.values()) channels += byName.size;
    return channels;
  }

  /** Bytes of all tenants' publications that wait for their fan-out. */
  get pendingBytes(): number {
    let bytes = 0;
    for (const { load } of this.#tenants.values()) bytes += load.pendingBytes;
    return bytes;
  }

  /** Appends to the log of a channel; its subscribers follow by way of the broker. */
  publish(channel: ChannelRef, draft: PublicationDraft): Awaitable<AppendResult> {
    return this.#ports.broker.append(channel, draft);
  }

  /**
   * The channel, opened and held until `release`.
   * @throws WsError `LIMIT_EXCEEDED` when the tenant has too many; whatever the broker throws
   */
  async acquire(ref: ChannelRef): Promise<LiveChannel> {
    const channel = this.#tenants.get(ref.tenant)?.byName.get(nameInTenant(ref)) ?? this.#open(ref);
    channel.holders++;
    try {
      await this.#opening.get(channel);
      return channel;
    } catch (error) {
      this.release(channel);
      throw error;
    }
  }

  /** The other end of `acquire`. */
  release(channel: LiveChannel): void {
    if (--channel.holders > 0) return;
    this.#remove(channel);
    const { tenant, name } = channel.ref;
    channel.close().catch((error: unknown) => {
      this.#ports.logger.warn("channel_close_failed", { tenant_id: tenant, channel: name, error });
    });
    const channels = this.#tenants.get(tenant);
    if (channels?.byName.size === 0 && channels.load.isIdle) this.#tenants.delete(tenant);
  }

  /** True when the tenant's fan-out has more to do than it may. */
  isCongested(tenant: TenantId): boolean {
    return this.#tenants.get(tenant)?.load.isCongested ?? false;
  }

  /** Calls back once, when the tenant's fan-out is down to half of its bound. */
  whenRelieved(tenant: TenantId, callback: () => void): void {
    this.#channelsOf(tenant).load.whenRelieved(callback);
  }

  close(): void {
    this.#cancelVerify();
  }

  #open(ref: ChannelRef): LiveChannel {
    const { load, byName } = this.#channelsOf(ref.tenant);
    const max = this.#limits.maxChannelsOf(ref.tenant);
    // The tenant-wide channel is always there, and not counted.
    if (ref.name !== TENANT_CHANNEL && byName.size > max) throw WsError.channelLimit(ref.tenant, max);
    const channel = new LiveChannel(ref, this.#ports.kinds.of(ref.name), { owner: this.#owner, load });
    byName.set(nameInTenant(ref), channel);
    this.#opening.set(channel, this.#whenOpen(channel));
    return channel;
  }

  async #whenOpen(channel: LiveChannel): Promise<void> {
    try {
      await channel.open();
    } catch (error) {
      // A channel that could not be opened is not for the next one who asks.
      this.#remove(channel);
      throw error;
    } finally {
      this.#opening.delete(channel);
    }
  }

  #remove(channel: LiveChannel): void {
    const byName = this.#tenants.get(channel.ref.tenant)?.byName;
    const name = nameInTenant(channel.ref);
    if (byName?.get(name) === channel) byName.delete(name);
  }

  #channelsOf(tenant: TenantId): TenantChannels {
    let channels = this.#tenants.get(tenant);
    if (channels === undefined) {
      channels = { load: new TenantLoad(tenant, this.#limits.maxPendingBytes), byName: new Map() };
      this.#tenants.set(tenant, channels);
    }
    return channels;
  }

  *#all(): Generator<LiveChannel> {
    for (const { byName } of this.#tenants.values()) yield* byName.values();
  }

  #verifySome(): void {
    let left = Math.ceil(this.channelCount / VERIFY_TICKS);
    this.#verifying ??= this.#all();
    for (; left > 0; left--) {
      const next = this.#verifying.next();
      if (next.done === true) {
        this.#verifying = undefined;
        return;
      }
      next.value.verify();
    }
  }
}
