import { type ChannelRef, parseChannelName, parseTenantId, silentLogger } from "@pm/core";
import { ManualClock } from "@pm/core/testing";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryReader } from "../../test/support/memory-reader.ts";
import { ChannelKinds } from "../channel-kinds.ts";
import { MemoryBroker } from "../log/memory-broker.ts";
import { draft } from "../testing/broker-contract/broker-fixture.ts";
import { LiveChannel, type LiveChannelOwner } from "./live-channel.ts";
import { Subscription } from "./subscription.ts";
import { TenantLoad } from "./tenant-load.ts";
import { TurnScheduler } from "./turn-scheduler.ts";

const REF: ChannelRef = { tenant: parseTenantId("t1"), name: parseChannelName("room:1") };

/** What happens between two slices of a fan-out. */
type Interlude =
  | { readonly kind: "join" }
  | { readonly kind: "leave"; readonly which: number }
  | { readonly kind: "publish"; readonly count: number }
  | { readonly kind: "step" };

const interlude: fc.Arbitrary<Interlude> = fc.oneof(
  fc.record({ kind: fc.constant("join" as const) }),
  fc.record({ kind: fc.constant("leave" as const), which: fc.nat() }),
  fc.record({ kind: fc.constant("publish" as const), count: fc.integer({ min: 1, max: 3 }) }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("step" as const) }) },
);

interface Member {
  readonly reader: MemoryReader;
  readonly subscription: Subscription;
  readonly from: number;
  left: boolean;
}

/** A channel with members, whose fan-out goes on only when it is told to, or when `settle` lets everything happen. */
class Room {
  readonly members: Member[] = [];
  readonly channel: LiveChannel;
  readonly load = new TenantLoad(parseTenantId("acme"), 1_048_576);
  readonly #owner: LiveChannelOwner;

  constructor() {
    const clock = new ManualClock();
    this.#owner = {
      broker: new MemoryBroker({ clock }),
      scheduler: new TurnScheduler(),
      clock,
      logger: silentLogger,
      onFannedOut: () => undefined,
      release: () => undefined,
    };
    const kind = new ChannelKinds().of(REF.name);
    this.channel = new LiveChannel(REF, kind, { owner: this.#owner, load: this.load });
  }

  join(): void {
    const { top } = this.channel;
    const reader = new MemoryReader(REF.tenant, this.#owner);
    const subscription = new Subscription(reader, this.channel, top);
    this.channel.add(subscription);
    this.members.push({ reader, subscription, from: top.offset, left: false });
  }

  leave(which: number): void {
    const present = this.members.filter(({ left }) => !left);
    const member = present[which % present.length];
    if (member === undefined) return;
    this.channel.end(member.subscription);
    member.left = true;
  }

  publish(count: number): void {
    // In memory an entry is in the log, and told, when the call returns.
    for (let n = 0; n < count; n++) void this.#owner.broker.append(REF, draft(String(n)));
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Everybody who stays has all of their time, once and in order. */
async function playAndExpect(members: number, interludes: readonly Interlude[]): Promise<void> {
  const room = new Room();
  await room.channel.open();
  for (let count = 0; count < members; count++) room.join();
  for (const event of interludes) {
    if (event.kind === "join") room.join();
    else if (event.kind === "leave") room.leave(event.which);
    else if (event.kind === "publish") room.publish(event.count);
    else room.channel.step();
  }
  const { offset } = room.channel.top;
  await room.settle();
  for (const { reader, from, left } of room.members) {
    const expected = Array.from({ length: offset - from }, (_, index) => from + index + 1);
    // Who has left has a beginning of it.
    expect(reader.offsets).toEqual(left ? expected.slice(0, reader.offsets.length) : expected);
  }
  expect(room.load.pendingBytes).toBe(0);
}

describe("the fan-out of a channel", () => {
  it("given members that come and go between slices, when all is done, then each has everything of its time once, in order", async () => {
    const members = fc.integer({ min: 0, max: 200 });
    const interludes = fc.array(interlude, { maxLength: 40, size: "max" });
    await fc.assert(fc.asyncProperty(members, interludes, playAndExpect));
  });
});
