import type { ChannelRef } from "@pm/core";
import { ManualClock, RecordingLogger } from "@pm/core/testing";
import { ChannelKinds, type ChannelKindOptions, MemoryBroker, type StreamPosition } from "../../src/index.ts";
import { LiveChannel, type LiveChannelOwner } from "../../src/fanout/live-channel.ts";
import { Subscription } from "../../src/fanout/subscription.ts";
import { TenantLoad } from "../../src/fanout/tenant-load.ts";
import { TurnScheduler } from "../../src/fanout/turn-scheduler.ts";
import { channelRef, draft } from "../../src/testing/broker-contract/broker-fixture.ts";
import { type BrokerFaults, HostileBroker, SeededRandom } from "../../src/testing/index.ts";
import { InterposedBroker } from "./interposed-broker.ts";
import { MemoryReader } from "./memory-reader.ts";

/** One run that was offered to all. */
export interface FannedOut {
  readonly first: number;
  readonly last: number;
  readonly subscriptions: number;
}

/** How a MemoryChannel is set up. */
export interface MemoryChannelOptions {
  readonly name?: string | undefined;
  readonly kind?: ChannelKindOptions | undefined;
  readonly faults?: Partial<BrokerFaults> | undefined;
}

/** A live channel on a log in memory whose broker can be made hostile; its readers' sockets only count. */
export class MemoryChannel {
  readonly ref: ChannelRef;
  readonly clock: ManualClock = new ManualClock();
  readonly logger: RecordingLogger = new RecordingLogger();
  readonly scheduler: TurnScheduler = new TurnScheduler();
  readonly hostile: HostileBroker;
  readonly broker: InterposedBroker;
  readonly channel: LiveChannel;
  /** Reads of the log that somebody asked for. */
  reads = 0;
  readonly load: TenantLoad;
  released = 0;
  readonly fannedOut: FannedOut[] = [];

  constructor({ name = "room:1", kind = {}, faults = {} }: MemoryChannelOptions = {}) {
    this.ref = channelRef(name);
    this.load = new TenantLoad(this.ref.tenant, 1_048_576);
    const kinds = new ChannelKinds({ defaults: kind });
    const memory = new MemoryBroker({ clock: this.clock, retentionOf: kinds.retentionOf });
    this.hostile = new HostileBroker({ broker: memory, clock: this.clock, random: new SeededRandom(1), faults });
    this.broker = new InterposedBroker(this.hostile);
    this.broker.beforeRead = async () => {
      this.reads++;
    };
    this.channel = new LiveChannel(this.ref, kinds.of(this.ref.name), { owner: this.#owner(), load: this.load });
  }

  /** A channel that listens. */
  static async open(options: MemoryChannelOptions = {}): Promise<MemoryChannel> {
    const memory = new MemoryChannel(options);
    await memory.channel.open();
    memory.reads = 0;
    return memory;
  }

  /** A reader of the channel, from a position or its top. */
  join(position: StreamPosition = this.channel.top): Subscription & { readonly reader: MemoryReader } {
    const reader = new MemoryReader(this.ref.tenant, this);
    const subscription = new Subscription(reader, this.channel, position);
    this.channel.add(subscription);
    return Object.assign(subscription, { reader });
  }

  /** The position before the first publication. */
  get origin(): StreamPosition {
    return { epoch: this.channel.top.epoch, offset: 0, check: 0 };
  }

  async publish(count = 1, bytes = 1): Promise<void> {
    const json = JSON.stringify("x".repeat(bytes));
    for (let n = 0; n < count; n++) await this.broker.append(this.ref, draft(json));
  }

  /** Lets everything happen that needs no time. */
  async settle(turns = 20): Promise<void> {
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  #owner(): LiveChannelOwner {
    return {
      broker: this.broker,
      scheduler: this.scheduler,
      clock: this.clock,
      logger: this.logger,
      onFannedOut: ({ first, last }, subscriptions) => this.fannedOut.push({ first, last, subscriptions }),
      release: () => {
        this.released++;
      },
    };
  }
}
