import type { ChannelRef, TenantId } from "@pm/core";
import { describe, expect, test } from "vitest";
import { channelRef, draft, HeardNotices, userRef, WHOLE } from "../testing/broker-contract/broker-fixture.ts";
import { WsError } from "../ws-error.ts";
import { ChunkPool } from "./chunk-pool.ts";
import { MAX_IDLE_CHANNELS, META_LIFETIME_SECS, type StoredChannel, TenantLogs } from "./tenant-logs.ts";

const META_LIFETIME_MS = META_LIFETIME_SECS * 1000;
const KEEP_ALL = { count: 1000, bytes: Number.MAX_SAFE_INTEGER, ageMs: 300_000 };
/** Large enough for a chunk of its own. */
const PAYLOAD = "x".repeat(10_000);

class Fixture {
  readonly logs: TenantLogs;
  accounted = 0;
  /** All that was told. */
  readonly told: number[] = [];
  #made = 0;
  #appended = 0;

  constructor(maxBytes: number) {
    this.logs = new TenantLogs("t1" as TenantId, {
      maxBytes,
      newStart: () => ({ epoch: `e${++this.#made}`, check: 1 }),
      pool: new ChunkPool(),
      account: (bytes) => {
        this.accounted += bytes;
        this.told.push(bytes);
      },
    });
  }

  use(channel: ChannelRef, nowMs = 0): StoredChannel {
    return this.logs.use(channel, () => KEEP_ALL, nowMs);
  }

  append(channel: ChannelRef, publishedAtMs = 0): StoredChannel {
    const stored = this.use(channel);
    this.logs.append(stored, draft(PAYLOAD), { check: ++this.#appended, publishedAtMs });
    return stored;
  }

  remember(stored: StoredChannel, key: string, nowMs = 0): void {
    const result = { position: { epoch: "e1", offset: 1, check: 1 }, messageId: "e1.1", duplicate: false };
    this.logs.remember(stored, draft("1", { idempotencyKey: key }), { result, nowMs });
  }
}

function offsets(stored: StoredChannel): number[] {
  return stored.read(WHOLE).entries.map(({ offset }) => offset);
}

function bytesOf({ memoryBytes, keys }: StoredChannel): number {
  return memoryBytes + (keys?.bytes ?? 0);
}

describe("bytes", () => {
  test("given a full tenant, when it publishes to one channel, then its oldest chunk over all channels goes", () => {
    const fixture = new Fixture(50_000);
    const a = fixture.append(channelRef("a"));
    const b = fixture.append(channelRef("b"));
    fixture.append(channelRef("a"));
    fixture.append(channelRef("b"));
    fixture.append(channelRef("b"));
    expect(offsets(a)).toEqual([2]);
    expect(offsets(b)).toEqual([1, 2, 3]);
    fixture.append(channelRef("b"));
    expect(offsets(a)).toEqual([2]);
    expect(offsets(b)).toEqual([2, 3, 4]);
    expect(fixture.logs.bytes).toBeLessThanOrEqual(50_000);
  });

  test("given a full tenant, when it publishes to a channel that is new, then that gives its oldest too", () => {
    const fixture = new Fixture(50_000);
    for (let n = 0; n < 6; n++) fixture.append(channelRef("a"));
    const late = fixture.append(channelRef("late"));
    for (let n = 0; n < 20; n++) {
      fixture.append(channelRef("late"));
      expect(fixture.logs.bytes).toBeLessThanOrEqual(50_000);
    }
    expect(offsets(late).at(-1)).toBe(21);
  });

  test("given any use, when bytes change, then the sum told is the sum held", () => {
    const fixture = new Fixture(50_000);
    const channels = ["c0", "c1", "c2"].map((name) => channelRef(name));
    const held = () => channels.map((channel) => bytesOf(fixture.use(channel))).reduce((sum, bytes) => sum + bytes);
    for (let i = 0; i < 20; i++) fixture.remember(fixture.append(channelRef(`c${i % 3}`)), `k${i}`);
    expect(held()).toBeGreaterThan(30_000);
    expect(fixture).toMatchObject({ accounted: held(), logs: { bytes: held() } });
    fixture.logs.renew(fixture.use(channelRef("c0")));
    expect(fixture).toMatchObject({ accounted: held(), logs: { bytes: held() } });
    fixture.logs.expire({ wallMs: 1_000_000, monotonicMs: 1_000_000 });
    expect(fixture.accounted).toBe(0);
  });

  test("given nothing that came free, when that is told, then it is 0 and not −0, which V8 would keep in a box", () => {
    const fixture = new Fixture(1_000_000);
    fixture.remember(fixture.append(channelRef("a")), "k");
    fixture.logs.expire({ wallMs: 1, monotonicMs: 1 });
    fixture.logs.evictOldest({ sparesNewest: true });
    expect(fixture.told.filter((bytes) => bytes === 0).length).toBeGreaterThan(2);
    expect(fixture.told.filter((bytes) => Object.is(bytes, -0))).toEqual([]);
  });

  test("given a bound below one entry, when it is appended, then the newest stays", () => {
    const fixture = new Fixture(10);
    const stored = fixture.append(channelRef("a"));
    expect(offsets(stored)).toEqual([1]);
    fixture.append(channelRef("a"));
    expect(offsets(stored)).toEqual([2]);
  });
});

describe("channels", () => {
  test("given a user's channel and others, when they are used, then each has a log of its own", () => {
    const fixture = new Fixture(100_000);
    const logs = [userRef("u1"), userRef("u2"), channelRef("user")].map((ref) => fixture.use(ref));
    expect(new Set(logs).size).toBe(3);
    expect(fixture.use(userRef("u1"))).toBe(logs[0]);
  });

  test("given 10 000 idle channels, when one more is used, then the least recently used is forgotten with its bytes", () => {
    const fixture = new Fixture(1_000_000);
    fixture.append(channelRef("c0"));
    fixture.append(channelRef("c1"));
    for (let i = 2; i < MAX_IDLE_CHANNELS; i++) fixture.use(channelRef(`c${i}`));
    fixture.use(channelRef("c0"));
    fixture.use(channelRef("new"));
    expect(fixture.logs.channels).toBe(MAX_IDLE_CHANNELS);
    expect(fixture.logs.find(channelRef("c0"))).toBeDefined();
    expect(fixture.logs.find(channelRef("c1"))).toBeUndefined();
    expect(fixture.accounted).toBe(fixture.use(channelRef("c0")).memoryBytes);
  });

  test.each([
    ["first", 0],
    ["second", 1],
    ["third", 2],
  ])(
    "given a channel with three subscribers, when the %s is the last, then it is kept until that is released",
    (_, last) => {
      const fixture = new Fixture(1_000_000);
      const listeners = [new HeardNotices(), new HeardNotices(), new HeardNotices()];
      const held = fixture.append(channelRef("held"));
      for (const listener of listeners) fixture.logs.hold(held, listener);
      const listener = listeners[last] ?? new HeardNotices();
      for (const other of listeners) if (other !== listener) fixture.logs.release(held, other);
      fixture.logs.release(held, new HeardNotices());
      expect(held).toMatchObject({ listener, moreListeners: [] });
      for (let i = 0; i < MAX_IDLE_CHANNELS; i++) fixture.use(channelRef(`c${i}`));
      expect(fixture.logs.find(channelRef("held"))).toBe(held);
      expect(offsets(held)).toEqual([1]);
      fixture.logs.release(held, listener);
      expect(fixture.logs.channels).toBe(MAX_IDLE_CHANNELS);
      expect(fixture.logs.find(channelRef("c0"))).toBeUndefined();
    },
  );

  test("given a channel that was forgotten, when a subscription of it ends once more, then it stays forgotten", () => {
    const fixture = new Fixture(1_000_000);
    const listener = new HeardNotices();
    const stored = fixture.append(channelRef("a"));
    fixture.logs.hold(stored, listener);
    fixture.logs.release(stored, listener);
    fixture.logs.expire({ wallMs: 2 * META_LIFETIME_MS, monotonicMs: 2 * META_LIFETIME_MS });
    fixture.logs.release(stored, listener);
    expect(fixture.logs.channels).toBe(0);
  });

  test("given an unused channel, when 24 hours have passed, then its epoch and offsets go, and not before", () => {
    const fixture = new Fixture(100_000);
    fixture.append(channelRef("a"));
    fixture.logs.expire({ wallMs: META_LIFETIME_MS, monotonicMs: META_LIFETIME_MS });
    expect(fixture.logs.find(channelRef("a"))?.top.offset).toBe(1);
    fixture.logs.expire({ wallMs: META_LIFETIME_MS + 1000, monotonicMs: META_LIFETIME_MS + 1000 });
    expect(fixture.logs.find(channelRef("a"))).toBeUndefined();
  });

  test("given a channel with a subscriber, when 24 hours have passed, then it is kept", () => {
    const fixture = new Fixture(100_000);
    const [stored, listener] = [fixture.append(channelRef("a")), new HeardNotices()];
    fixture.logs.hold(stored, listener);
    fixture.logs.expire({ wallMs: 2 * META_LIFETIME_MS, monotonicMs: 2 * META_LIFETIME_MS });
    expect(fixture.logs.find(channelRef("a"))?.top.offset).toBe(1);
    // Its 24 hours begin when the last subscription has ended.
    fixture.logs.release(stored, listener);
    fixture.logs.expire({ wallMs: 3 * META_LIFETIME_MS, monotonicMs: 3 * META_LIFETIME_MS });
    expect(fixture.logs.find(channelRef("a"))?.top.offset).toBe(1);
    fixture.logs.expire({ wallMs: 4 * META_LIFETIME_MS, monotonicMs: 4 * META_LIFETIME_MS });
    expect(fixture.logs.find(channelRef("a"))).toBeUndefined();
  });

  test("given a log, when it is renewed, then it is empty, with a new epoch and no keys", () => {
    const fixture = new Fixture(100_000);
    const stored = fixture.append(channelRef("a"));
    fixture.remember(stored, "k");
    const { epoch } = stored;
    fixture.logs.renew(stored);
    expect(stored.epoch).not.toBe(epoch);
    expect(stored.top.offset).toBe(0);
    expect(stored.keys).toBeUndefined();
    expect(fixture.logs.bytes).toBe(0);
  });
});

describe("keys", () => {
  test("given keys over half of the memory, when there is one more, then it is refused until the window ends", () => {
    const fixture = new Fixture(4000);
    const stored = fixture.use(channelRef("a"));
    for (let i = 0; fixture.logs.bytes <= 2000; i++) {
      fixture.logs.assertRoomForKey();
      fixture.remember(stored, `k${i}`);
    }
    expect(() => fixture.logs.assertRoomForKey()).toThrow(WsError);
    expect(() => fixture.logs.assertRoomForKey()).toThrow(
      expect.objectContaining({ code: "RATE_LIMIT_EXCEEDED", field: "idempotency_key", retryAfterMs: 10_000 }),
    );
    fixture.logs.expire({ wallMs: 300_000, monotonicMs: 300_000 });
    fixture.logs.assertRoomForKey();
    expect([fixture.logs.bytes, stored.keys]).toEqual([0, undefined]);
  });
});
