import { parseTenantId } from "@pm/core";
import { ManualClock, RecordingLogger } from "@pm/core/testing";
import { describe, expect, it } from "vitest";
import { InterposedBroker } from "../../test/support/interposed-broker.ts";
import { MemoryReader } from "../../test/support/memory-reader.ts";
import { ChannelKinds, type ChannelKindsOptions } from "../channel-kinds.ts";
import { MemoryBroker } from "../log/memory-broker.ts";
import { channelRef, draft } from "../testing/broker-contract/broker-fixture.ts";
import { WsError } from "../ws-error.ts";
import { Subscription } from "./subscription.ts";
import { TenantBroadcaster } from "./tenant-broadcaster.ts";
import { TurnScheduler } from "./turn-scheduler.ts";

const ROOM = channelRef("room:1");

interface Scene {
  readonly broker: InterposedBroker;
  readonly memory: MemoryBroker;
  readonly broadcaster: TenantBroadcaster;
  readonly clock: ManualClock;
  readonly logger: RecordingLogger;
  readonly subscribe: (name?: string, tenant?: string) => Promise<MemoryReader>;
}

function start(options: { kinds?: ChannelKindsOptions; maxPendingBytes?: number; maxChannels?: number } = {}): Scene {
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  const memory = new MemoryBroker({ clock });
  const broker = new InterposedBroker(memory);
  const ports = { broker, scheduler: new TurnScheduler(), clock, logger };
  const broadcaster = new TenantBroadcaster(
    { ...ports, kinds: new ChannelKinds(options.kinds), onFannedOut: () => undefined },
    { maxPendingBytes: options.maxPendingBytes ?? 1000, maxChannelsOf: () => options.maxChannels ?? 1000 },
  );
  const subscribe = async (name = "room:1", tenant = "t1"): Promise<MemoryReader> => {
    const ref = channelRef(name, tenant);
    const reader = new MemoryReader(ref.tenant, ports);
    const channel = await broadcaster.acquire(ref);
    channel.add(new Subscription(reader, channel, channel.top));
    return reader;
  };
  return { broker, memory, broadcaster, clock, logger, subscribe };
}

async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe("TenantBroadcaster", () => {
  it("given subscribers of two channels, when both are published to, then each reader has its own", async () => {
    const { broadcaster, subscribe } = start();
    const readers = [await subscribe("a"), await subscribe("a"), await subscribe("b")];
    await broadcaster.publish(channelRef("a"), draft("1"));
    await broadcaster.publish(channelRef("b"), draft("1"));
    await broadcaster.publish(channelRef("b"), draft("2"));
    await turns();
    expect(readers.map(({ offsets }) => offsets)).toEqual([[1], [1], [1, 2]]);
    expect(broadcaster.channelCount).toBe(2);
  });

  it("given a channel, when its last holder lets it go, then nothing of it is left", async () => {
    const { broadcaster, memory } = start();
    const first = await broadcaster.acquire(ROOM);
    const second = await broadcaster.acquire(ROOM);
    expect(second).toBe(first);
    broadcaster.release(first);
    expect(broadcaster.channelCount).toBe(1);
    broadcaster.release(second);
    expect(broadcaster.channelCount).toBe(0);
    await memory.append(ROOM, draft("1"));
    expect(first.top.offset).toBe(0);
  });

  it("given as many channels as a tenant may have, when one more is asked for, then it is refused until one is free", async () => {
    const { broadcaster } = start({ maxChannels: 2 });
    const tenantWide = await broadcaster.acquire(channelRef("tenant"));
    const held = [await broadcaster.acquire(channelRef("a")), await broadcaster.acquire(channelRef("b"))];
    await expect(broadcaster.acquire(channelRef("c"))).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
    expect(await broadcaster.acquire(channelRef("a"))).toBe(held[0]);
    await broadcaster.acquire(channelRef("c", "t2"));
    if (held[1] !== undefined) broadcaster.release(held[1]);
    await broadcaster.acquire(channelRef("c"));
    broadcaster.release(tenantWide);
  });

  it("given channels up to the limit, when the tenant-wide one is asked for, then it is there all the same", async () => {
    const { broadcaster } = start({ maxChannels: 1 });
    for (const name of ["a", "b"]) await broadcaster.acquire(channelRef(name));
    await expect(broadcaster.acquire(channelRef("c"))).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
    expect((await broadcaster.acquire(channelRef("tenant"))).ref.name).toBe("tenant");
  });

  it("given channels that could not be opened, when they were let go, then they do not count against the limit", async () => {
    const { broker, broadcaster } = start({ maxChannels: 1 });
    broker.beforeRead = () => Promise.reject(WsError.unavailable("away"));
    for (let n = 0; n < 5; n++) {
      await expect(broadcaster.acquire(channelRef(`c${n}`))).rejects.toMatchObject({ code: "UNAVAILABLE" });
    }
    broker.beforeRead = async () => undefined;
    expect((await broadcaster.acquire(ROOM)).ref).toEqual(ROOM);
  });

  it("given a broker that fails to unsubscribe, when the last holder lets go, then the log line tells of it", async () => {
    const { broker, broadcaster, logger } = start();
    broker.unsubscribe = () => Promise.reject(WsError.unavailable("away"));
    broadcaster.release(await broadcaster.acquire(ROOM));
    await turns();
    expect(logger.lines).toMatchObject([
      { level: "warn", event: "channel_close_failed", fields: { channel: "room:1" } },
    ]);
    expect(broadcaster.channelCount).toBe(0);
  });

  it("given a broker that tells nothing, when time passes, then each channel is compared with its log every 5 s, again and again", async () => {
    const { broker, memory, clock, subscribe } = start();
    broker.subscribe = async () => undefined;
    const readers = [await subscribe("a"), await subscribe("b"), await subscribe("c")];
    for (let round = 1; round <= 4; round++) {
      for (const name of ["a", "b", "c"]) await memory.append(channelRef(name), draft("1"));
      for (let tick = 0; tick < 51; tick++) {
        clock.advance(100);
        await turns(1);
      }
      await turns();
      expect(readers.map(({ offsets }) => offsets.at(-1))).toEqual([round, round, round]);
    }
  });

  it("given publications that wait for their fan-out, when they are too many, then the tenant is congested until half are out", async () => {
    const { broadcaster, subscribe } = start({ maxPendingBytes: 1000 });
    await subscribe();
    for (let n = 0; n < 8; n++) await broadcaster.publish(ROOM, draft(JSON.stringify("x".repeat(200))));
    expect(broadcaster.isCongested(ROOM.tenant)).toBe(true);
    expect(broadcaster.isCongested(parseTenantId("t2"))).toBe(false);
    expect(broadcaster.pendingBytes).toBeGreaterThan(1600);
    const relieved = new Promise<void>((resolve) => broadcaster.whenRelieved(ROOM.tenant, resolve));
    await relieved;
    expect(broadcaster.pendingBytes).toBeLessThanOrEqual(500);
    expect(broadcaster.isCongested(ROOM.tenant)).toBe(false);
  });

  it("given publications that wait, when the last subscriber leaves, then nothing waits, and who waited goes on", async () => {
    const { broadcaster } = start({ maxPendingBytes: 10, kinds: { defaults: { flushDelayMs: 1000 } } });
    const channel = await broadcaster.acquire(ROOM);
    const ports = {
      broker: new MemoryBroker(),
      scheduler: new TurnScheduler(),
      clock: new ManualClock(),
      logger: new RecordingLogger(),
    };
    const subscription = new Subscription(new MemoryReader(ROOM.tenant, ports), channel, channel.top);
    channel.add(subscription);
    await broadcaster.publish(ROOM, draft("1"));
    let isRelieved = false;
    broadcaster.whenRelieved(ROOM.tenant, () => (isRelieved = true));
    expect([broadcaster.isCongested(ROOM.tenant), isRelieved]).toEqual([true, false]);
    channel.end(subscription);
    expect([broadcaster.pendingBytes, isRelieved]).toEqual([0, true]);
  });

  it("given a kind whose publications wait for others, when its time is over, then they are delivered together", async () => {
    const { broadcaster, clock, subscribe } = start({ kinds: { kinds: { room: { flushDelayMs: 50 } } } });
    const reader = await subscribe();
    await broadcaster.publish(ROOM, draft("1"));
    await turns();
    clock.advance(49);
    await broadcaster.publish(ROOM, draft("2"));
    await turns();
    expect(reader.offsets).toEqual([]);
    clock.advance(1);
    await turns();
    expect(reader.offsets).toEqual([1, 2]);
  });

  it("given a kind whose publications wait for others, when one comes during a fan-out, then it waits, too", async () => {
    const { broadcaster, clock, subscribe } = start({ kinds: { kinds: { room: { flushDelayMs: 50 } } } });
    const reader = await subscribe();
    reader.outbox.writesAtOnce = true;
    const write = reader.write.bind(reader);
    reader.write = (frame) => {
      if (reader.offsets.length === 0) void broadcaster.publish(ROOM, draft("2"));
      return write(frame);
    };
    await broadcaster.publish(ROOM, draft("1"));
    clock.advance(50);
    await turns();
    expect(reader.offsets).toEqual([1]);
    clock.advance(49);
    await turns();
    expect(reader.offsets).toEqual([1]);
    clock.advance(1);
    await turns();
    expect(reader.offsets).toEqual([1, 2]);
  });

  it("given notices that never come, when 5 s have passed, then every channel has been compared with its log", async () => {
    const { broadcaster, broker, memory, clock, subscribe } = start();
    broker.subscribe = async () => undefined;
    const refs = Array.from({ length: 120 }, (_, index) => channelRef(`room:${index % 40}`, `t${index % 30}`));
    const readers = await Promise.all(refs.map(({ name, tenant }) => subscribe(name, tenant)));
    for (const ref of refs) await memory.append(ref, draft("1"));
    for (let passed = 0; passed < 5100; passed += 100) {
      clock.advance(100);
      // Tenants that come and go meanwhile change nothing.
      broadcaster.release(await broadcaster.acquire(channelRef("room:1", `passing-${passed}`)));
      await turns(1);
    }
    await turns();
    expect(readers.filter(({ offsets }) => offsets.length !== 1)).toEqual([]);
    broadcaster.close();
    expect(clock.pending).toBe(1);
  });
});

describe("a channel that cannot be opened", () => {
  it("given a broker that is away, when it is back, then the next who asks has the channel", async () => {
    const { broker, memory, broadcaster, subscribe } = start();
    broker.beforeRead = () => Promise.reject(WsError.unavailable("away"));
    await expect(broadcaster.acquire(ROOM)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(broadcaster.channelCount).toBe(0);
    broker.beforeRead = async () => undefined;
    const reader = await subscribe();
    await memory.append(ROOM, draft("1"));
    await turns();
    expect(reader.offsets).toEqual([1]);
  });

  it("given others who ask at any moment of its failure, when they have it, then it is one that works", async () => {
    for (let depth = 0; depth < 20; depth++) {
      const { broker, memory, broadcaster, subscribe } = start();
      let reads = 0;
      broker.beforeRead = async () => {
        if (++reads === 1) throw WsError.unavailable("away");
      };
      const failed = broadcaster.acquire(ROOM).catch(() => undefined);
      for (let hop = 0; hop < depth; hop++) await Promise.resolve();
      const reader = await subscribe().catch(() => undefined);
      await failed;
      await memory.append(ROOM, draft("1"));
      await turns();
      expect([depth, reader?.offsets ?? [1]]).toEqual([depth, [1]]);
    }
  });
});

describe("a reader that catches up", () => {
  it("given an entry that comes at any moment of its page, when all is quiet, then it has it", async () => {
    for (let depth = 0; depth < 30; depth++) {
      const { broker, memory, broadcaster } = start();
      await memory.append(ROOM, draft("1"));
      const channel = await broadcaster.acquire(ROOM);
      const ports = { broker, scheduler: new TurnScheduler(), clock: new ManualClock(), logger: new RecordingLogger() };
      const reader = new MemoryReader(ROOM.tenant, ports);
      broker.afterRead = async ({ maxCount }) => {
        if (maxCount === 1) return;
        broker.afterRead = async () => undefined;
        void (async () => {
          for (let hop = 0; hop < depth; hop++) await Promise.resolve();
          await memory.append(ROOM, draft("2"));
        })();
      };
      channel.add(new Subscription(reader, channel, { ...channel.top, offset: 0, check: 0 }));
      await turns(10);
      expect([depth, reader.offsets]).toEqual([depth, [1, 2]]);
    }
  });

  it("given a cursor that is moved while a page is read, when the page comes, then delivery goes on from the new one", async () => {
    const { broker, memory, broadcaster, subscribe } = start();
    for (let n = 1; n <= 5; n++) await memory.append(ROOM, draft(String(n)));
    await subscribe();
    const channel = await broadcaster.acquire(ROOM);
    const ports = { broker, scheduler: new TurnScheduler(), clock: new ManualClock(), logger: new RecordingLogger() };
    const reader = new MemoryReader(ROOM.tenant, ports);
    const subscription = new Subscription(reader, channel, { ...channel.top, offset: 0, check: 0 });
    broker.afterRead = async () => {
      broker.afterRead = async () => undefined;
      subscription.moveTo({ ...subscription.position, offset: 3, check: 0 });
    };
    channel.add(subscription);
    await turns(10);
    expect(reader.offsets).toEqual([4, 5]);
  });

  it("given a log that cannot be read, when it can be again, then delivery goes on, and the log line tells of it", async () => {
    const { broker, memory, broadcaster } = start();
    await memory.append(ROOM, draft("1"));
    const channel = await broadcaster.acquire(ROOM);
    const [clock, logger] = [new ManualClock(), new RecordingLogger()];
    const reader = new MemoryReader(ROOM.tenant, { broker, scheduler: new TurnScheduler(), clock, logger });
    broker.beforeRead = () => Promise.reject(WsError.unavailable("away"));
    channel.add(new Subscription(reader, channel, { ...channel.top, offset: 0, check: 0 }));
    await turns();
    expect([reader.offsets, logger.lines.map(({ event }) => event)]).toEqual([[], ["catch_up_failed"]]);
    broker.beforeRead = async () => undefined;
    clock.advance(1000);
    await turns();
    expect(reader.offsets).toEqual([1]);
  });
});

describe("a reader whose socket is full", () => {
  it("given a policy of the newest, when it has drained, then it is told how many it missed, once", async () => {
    const { broadcaster, subscribe } = start({ kinds: { defaults: { lagPolicy: "latest" } } });
    const reader = await subscribe();
    reader.isStuck = true;
    await broadcaster.publish(ROOM, draft(JSON.stringify("x".repeat(2000))));
    await turns();
    for (let n = 2; n <= 10; n++) {
      await broadcaster.publish(ROOM, draft(String(n)));
      await turns(1);
    }
    expect(reader.offsets).toEqual([1]);
    reader.drain();
    await turns();
    expect([reader.lagged, reader.offsets]).toEqual([[9], [1, 10]]);
    await broadcaster.publish(ROOM, draft("11"));
    await turns();
    expect([reader.lagged, reader.offsets]).toEqual([[9], [1, 10, 11]]);
  });

  it("given a policy to disconnect, when it falls behind, then it is too slow, and not asked again", async () => {
    const { broadcaster, subscribe } = start({ kinds: { defaults: { lagPolicy: "disconnect" } } });
    const reader = await subscribe();
    reader.isStuck = true;
    await broadcaster.publish(ROOM, draft(JSON.stringify("x".repeat(2000))));
    await turns();
    expect(reader.tooSlow).toBe(0);
    await broadcaster.publish(ROOM, draft("2"));
    await turns();
    expect(reader.tooSlow).toBe(1);
  });

  it("given a policy to recover, when it has drained, then it reads all that it left out from the log", async () => {
    const { broadcaster, subscribe } = start();
    const reader = await subscribe();
    reader.isStuck = true;
    for (let n = 1; n <= 200; n++) {
      await broadcaster.publish(ROOM, draft(JSON.stringify("x".repeat(2000))));
      await turns(1);
    }
    expect(reader.offsets).toEqual([1]);
    reader.drain();
    await turns(50);
    expect(reader.offsets).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
    expect(reader.lagged).toEqual([]);
  });
});
