import { ManualClock } from "@pm/core/testing";
import { expect, test } from "vitest";
import {
  appendEach,
  channelRef,
  closeAfterTest,
  draft,
  HeardNotices,
  numbers,
  offsetsOf,
  WHOLE,
} from "../testing/broker-contract/broker-fixture.ts";
import { MemoryBroker, type MemoryBrokerOptions } from "./memory-broker.ts";

const KIB = "x".repeat(1024);

function startBroker(options: MemoryBrokerOptions = {}): MemoryBroker {
  const broker = new MemoryBroker({ clock: new ManualClock(), ...options });
  closeAfterTest(broker);
  return broker;
}

test("given a full process, when a small tenant publishes, then the largest tenant gives its oldest", async () => {
  const broker = startBroker({ maxTotalBytes: 524_288 });
  const small = channelRef("room:1", "small");
  const large = channelRef("room:1", "large");
  await appendEach(broker, small, Array<string>(50).fill(KIB));
  await appendEach(broker, large, Array<string>(600).fill(KIB));
  await appendEach(broker, small, Array<string>(50).fill(KIB));
  expect(broker.bytes).toBeLessThanOrEqual(524_288);
  expect(offsetsOf(await broker.read(small, WHOLE))).toHaveLength(100);
  const kept = offsetsOf(await broker.read(large, WHOLE));
  expect(kept.length).toBeGreaterThan(200);
  expect(kept.at(-1)).toBe(600);
});

test("given two tenants of a size, when both publish over the bound, then both give alike", async () => {
  const broker = startBroker({ maxTotalBytes: 524_288 });
  const channels = [channelRef("room:1", "t1"), channelRef("room:1", "t2")];
  for (let i = 0; i < 500; i++) for (const channel of channels) await broker.append(channel, draft(KIB));
  const [a = 0, b = 0] = await Promise.all(
    channels.map(async (channel) => (await broker.read(channel, WHOLE)).entries.length),
  );
  // A chunk of 16 KiB more or less.
  expect(Math.abs(a - b)).toBeLessThanOrEqual(16);
  expect(a + b).toBeGreaterThan(300);
  expect(broker.bytes).toBeLessThanOrEqual(524_288);
});

test("given many tenants of one publication each, when they are over the bound, then some give theirs, and it holds", async () => {
  const broker = startBroker({ maxTotalBytes: 65_536 });
  const channels = Array.from({ length: 200 }, (_, n) => channelRef("room:1", `t${n}`));
  for (const channel of channels) {
    await broker.append(channel, draft("1"));
    expect(offsetsOf(await broker.read(channel, WHOLE))).toEqual([1]);
  }
  expect(broker.bytes).toBeLessThanOrEqual(65_536);
  expect(broker.bytes).toBeGreaterThan(60_000);
});

test("given a largest tenant that has nothing but keys, when others are over the bound, then they give, and it holds", async () => {
  const broker = startBroker({
    maxTotalBytes: 524_288,
    retentionOf: () => ({ count: 100, bytes: 1_000_000, ageMs: 300_000 }),
  });
  const keys = channelRef("room:1", "keys");
  for (let n = 0; broker.bytes < 250_000; n++) await broker.append(keys, draft("1", { idempotencyKey: `k${n}` }));
  for (let n = 0; n < 1000; n++) await broker.append(channelRef("room:1", `t${n % 10}`), draft(KIB));
  expect(broker.bytes).toBeLessThanOrEqual(524_288);
  expect(broker.bytes).toBeGreaterThan(450_000);
});

test("given bounds below one publication, when channels are published to, then the newest one alone is kept", async () => {
  const broker = startBroker({ maxTotalBytes: 1, maxTenantBytes: 1 });
  const [a, b] = [channelRef("room:1", "a"), channelRef("room:1", "b")];
  await appendEach(broker, a, Array<string>(3).fill(KIB));
  expect(offsetsOf(await broker.read(a, WHOLE))).toEqual([3]);
  await appendEach(broker, b, Array<string>(3).fill(KIB));
  expect(offsetsOf(await broker.read(a, WHOLE))).toEqual([]);
  expect(offsetsOf(await broker.read(b, WHOLE))).toEqual([3]);
});

test("given a tenant over its own bound, when it publishes, then it is held to that, and no other loses anything", async () => {
  const broker = startBroker({ maxTenantBytes: 16_384 });
  const other = channelRef("room:1", "other");
  await appendEach(broker, other, numbers(5));
  const others = broker.bytes;
  const loud = channelRef("room:1", "loud");
  for (let i = 0; i < 50; i++) {
    await broker.append(loud, draft(KIB));
    expect(broker.bytes - others).toBeLessThanOrEqual(16_384);
  }
  expect(offsetsOf(await broker.read(other, WHOLE))).toEqual([1, 2, 3, 4, 5]);
  expect(offsetsOf(await broker.read(loud, WHOLE)).length).toBeGreaterThan(8);
});

test("given a tenant whose keys take half of its memory, when another comes, then it is refused, and those that came are known", async () => {
  const broker = startBroker({ maxTenantBytes: 20_000 });
  let refused: unknown;
  let accepted = 0;
  while (refused === undefined && accepted < 1000) {
    try {
      await broker.append(channelRef(), draft("1", { idempotencyKey: `k${accepted}` }));
      accepted++;
    } catch (error) {
      refused = error;
    }
  }
  expect(refused).toMatchObject({ code: "RATE_LIMIT_EXCEEDED", field: "idempotency_key" });
  expect(broker.bytes).toBeLessThanOrEqual(20_000);
  const again = await broker.append(channelRef(), draft("1", { idempotencyKey: "k0" }));
  expect(again).toMatchObject({ duplicate: true, position: { offset: 1 } });
  expect((await broker.append(channelRef(), draft("1"))).position.offset).toBe(accepted + 1);
  expect((await broker.append(channelRef("room:1", "t2"), draft("1", { idempotencyKey: "k" }))).duplicate).toBe(false);
});

test("given logs whose publications are gone, when some seconds have passed, then nothing is kept for others", async () => {
  const clock = new ManualClock();
  const broker = startBroker({ clock, retentionOf: () => ({ count: 10, bytes: 1_000_000, ageMs: 1000 }) });
  await appendEach(broker, channelRef(), Array<string>(100).fill(KIB));
  clock.advance(5000);
  expect(broker.bytes).toBe(0);
  expect(broker.memoryBytes).toBeGreaterThan(0);
  clock.advance(10_000);
  expect(broker.memoryBytes).toBe(0);
});

test("given a publication, when its age passes without a use, then its bytes come free", async () => {
  const clock = new ManualClock();
  const broker = startBroker({ clock });
  await appendEach(broker, channelRef(), numbers(3));
  expect(broker.bytes).toBeGreaterThan(0);
  clock.advance(310_000);
  expect(broker.bytes).toBe(0);
  expect(broker.channels).toBe(1);
});

test("given an unused channel, when more than 24 hours pass, then nothing of it is left", async () => {
  const clock = new ManualClock();
  const broker = startBroker({ clock });
  const { position } = await broker.append(channelRef(), draft("1"));
  clock.advance(86_400_000 + 10_000);
  expect(broker.channels).toBe(0);
  expect((await broker.read(channelRef(), WHOLE)).epoch).not.toBe(position.epoch);
});

test("given a process that has run for days, when an unused channel is renewed, then its new epoch is not forgotten at once", async () => {
  const clock = new ManualClock();
  const broker = startBroker({ clock });
  clock.advance(2 * 86_400_000);
  const { position } = await broker.append(channelRef(), draft("1"));
  await broker.renew(channelRef(), position.epoch);
  clock.advance(10_000);
  expect(broker.channels).toBe(1);
});

test("given a retention of a channel, when it is published to, then that is what is kept", async () => {
  const broker = startBroker({ retentionOf: () => ({ count: 2, bytes: 1_000_000, ageMs: 1000 }) });
  await appendEach(broker, channelRef(), numbers(5));
  expect(offsetsOf(await broker.read(channelRef(), WHOLE))).toEqual([4, 5]);
});

test("given a listener that ended, when the channel is published to, then it hears nothing", async () => {
  const broker = startBroker();
  const heard = new HeardNotices();
  await broker.subscribe(channelRef(), heard);
  await broker.append(channelRef(), draft("1"));
  await broker.unsubscribe(channelRef(), heard);
  await broker.unsubscribe(channelRef(), heard);
  await broker.append(channelRef(), draft("2"));
  expect(heard.offsets).toEqual([1]);
});

test("given a closed broker, when it is used, then the outcome is UNAVAILABLE and no timer is left", async () => {
  const clock = new ManualClock();
  const broker = startBroker({ clock });
  await broker.close();
  await expect(broker.append(channelRef(), draft("1"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await expect(broker.read(channelRef(), WHOLE)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await expect(broker.subscribe(channelRef(), new HeardNotices())).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await expect(broker.renew(channelRef(), "e")).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(clock.pending).toBe(0);
});
