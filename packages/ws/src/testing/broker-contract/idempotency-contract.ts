import { describe, expect, it } from "vitest";
import { type Broker, IDEMPOTENCY_WINDOW_MS } from "../../log/broker.ts";
import { publicationIn } from "../entry-publication.ts";
import { channelRef, draft, type StartBroker, userRef, WHOLE } from "./broker-fixture.ts";

async function countOf(broker: Broker, channel = channelRef()): Promise<number> {
  return (await broker.read(channel, WHOLE)).top.offset;
}

/** What a repeated key does. */
export function describeIdempotency(start: StartBroker): void {
  describe("idempotency", () => {
    it("given a key that was used, when it comes again, then the first position is the answer and nothing is appended", async () => {
      const { broker } = await start();
      const first = await broker.append(channelRef(), draft("1", { idempotencyKey: "k" }));
      await broker.append(channelRef(), draft("2"));
      const again = await broker.append(channelRef(), draft("other", { idempotencyKey: "k" }));
      expect(again).toEqual({ ...first, duplicate: true });
      expect(first.duplicate).toBe(false);
      const { entries } = await broker.read(channelRef(), WHOLE);
      expect(entries.map((entry) => publicationIn(entry).payload?.kind.value)).toEqual(["1", "2"]);
    });

    it("given a key in use, when it comes again before the first is done, then all get one position", async () => {
      const { broker } = await start();
      const results = await Promise.all(
        Array.from({ length: 10 }, async () => broker.append(channelRef(), draft("1", { idempotencyKey: "k" }))),
      );
      expect(new Set(results.map(({ position, messageId }) => JSON.stringify([position, messageId]))).size).toBe(1);
      expect(results.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
      expect(await countOf(broker)).toBe(1);
    });

    it("given no key, when the same is appended again, then it is another publication", async () => {
      const { broker } = await start();
      const results = [await broker.append(channelRef(), draft("1")), await broker.append(channelRef(), draft("1"))];
      expect(results.map(({ position, duplicate }) => [position.offset, duplicate])).toEqual([
        [1, false],
        [2, false],
      ]);
    });

    it("given one key, when tenant, channel, user or publisher differ, then each has its own publication", async () => {
      const { broker } = await start();
      const key = { idempotencyKey: "k" };
      const results = [
        await broker.append(channelRef("a"), draft("1", key)),
        await broker.append(channelRef("b"), draft("1", key)),
        await broker.append(channelRef("a", "t2"), draft("1", key)),
        await broker.append(userRef("a"), draft("1", key)),
        await broker.append(userRef("b"), draft("1", key)),
        await broker.append(channelRef("a"), draft("1", { ...key, publisher: "u2" })),
        await broker.append(channelRef("a"), draft("1", { ...key, publisher: "" })),
      ];
      expect(results.map(({ duplicate }) => duplicate)).toEqual(results.map(() => false));
    });

    it("given keys and publishers that look alike put together, when they are used, then none is taken for another", async () => {
      const { broker } = await start();
      const pairs = [
        ["a", "bc"],
        ["ab", "c"],
        ["abc", ""],
        ["1:a", "b"],
        ["a:1", "b"],
        ["a", "\0b"],
        ["a\0", "b"],
      ] as const;
      for (const [idempotencyKey, publisher] of pairs) {
        expect((await broker.append(channelRef(), draft("1", { idempotencyKey, publisher }))).duplicate).toBe(false);
      }
      expect(await countOf(broker)).toBe(pairs.length);
    });

    it("given the end of the window, when the key comes just before and just after, then it is known before and new after", async () => {
      const { broker, clock } = await start();
      await broker.append(channelRef(), draft("1", { idempotencyKey: "k" }));
      clock.advance(IDEMPOTENCY_WINDOW_MS - 1);
      expect((await broker.append(channelRef(), draft("2", { idempotencyKey: "k" }))).duplicate).toBe(true);
      clock.advance(1);
      const fresh = await broker.append(channelRef(), draft("3", { idempotencyKey: "k" }));
      expect([fresh.duplicate, fresh.position.offset]).toEqual([false, 2]);
      expect((await broker.append(channelRef(), draft("4", { idempotencyKey: "k" }))).position.offset).toBe(2);
    });

    it("given a publication that retention has ended, when its key comes again, then its position is still the answer", async () => {
      const { broker } = await start({ count: 1 });
      const first = await broker.append(channelRef(), draft("1", { idempotencyKey: "k" }));
      await broker.append(channelRef(), draft("2"));
      expect(await broker.append(channelRef(), draft("1", { idempotencyKey: "k" }))).toEqual({
        ...first,
        duplicate: true,
      });
      expect(await countOf(broker)).toBe(2);
    });

    it("given a log of a new epoch, when a key of the old one comes, then it is appended, since the first is gone", async () => {
      const { broker } = await start();
      const { position } = await broker.append(channelRef(), draft("1", { idempotencyKey: "k" }));
      await broker.renew(channelRef(), position.epoch);
      const again = await broker.append(channelRef(), draft("1", { idempotencyKey: "k" }));
      expect([again.duplicate, again.position.offset]).toEqual([false, 1]);
      expect(again.position.epoch).not.toBe(position.epoch);
    });
  });
}
