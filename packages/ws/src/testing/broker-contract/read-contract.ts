import { RecoveryMiss } from "@pm/proto";
import { describe, expect, it } from "vitest";
import type { Broker, LogPage } from "../../log/broker.ts";
import { judgeForward } from "../../log/log-cursor.ts";
import { appendEach, channelRef, draft, numbers, offsetsOf, type StartBroker, WHOLE } from "./broker-fixture.ts";

const BACKWARD = { ...WHOLE, from: Number.MAX_SAFE_INTEGER, direction: "backward" } as const;

/** What reading a log gives. */
export function describeRead(start: StartBroker): void {
  describe("read", () => {
    it("given a channel never written to, when it is read, then its log is empty, and the same one each time", async () => {
      const { broker } = await start();
      const page = await broker.read(channelRef(), WHOLE);
      expect(page).toMatchObject({ entries: [], base: { offset: 0 }, top: page.base });
      expect(page.epoch).not.toBe("");
      expect(await broker.read(channelRef(), BACKWARD)).toEqual(page);
      const { position } = await broker.append(channelRef(), draft("1"));
      expect([position.epoch, position.offset]).toEqual([page.epoch, 1]);
    });

    it("given a log, when it is read from any offset, then forward has all after it and backward all before it", async () => {
      const { broker } = await start();
      await appendEach(broker, channelRef(), numbers(10));
      for (let from = 0; from <= 12; from++) {
        const forward = await broker.read(channelRef(), { ...WHOLE, from });
        const backward = await broker.read(channelRef(), { ...BACKWARD, from });
        expect(offsetsOf(forward)).toEqual(
          numbers(10)
            .map(Number)
            .filter((offset) => offset > from),
        );
        expect(offsetsOf(backward)).toEqual(
          numbers(10)
            .map(Number)
            .filter((offset) => offset < from)
            .toReversed(),
        );
        expect([forward.top.offset, backward.top.offset]).toEqual([10, 10]);
      }
      expect(offsetsOf(await broker.read(channelRef(), { ...WHOLE, from: Number.MAX_SAFE_INTEGER }))).toEqual([]);
      expect(offsetsOf(await broker.read(channelRef(), BACKWARD))[0]).toBe(10);
    });

    it("given a limit of entries, when a log is read in pages either way, then the pages together are the log", async () => {
      const { broker } = await start();
      await appendEach(broker, channelRef(), numbers(23));
      const forward: number[] = [];
      for (let page = await pageOf(broker, 0); page.entries.length > 0; page = await pageOf(broker, forward.length)) {
        expect(page.entries.length).toBeLessThanOrEqual(5);
        forward.push(...offsetsOf(page));
      }
      expect(forward).toEqual(numbers(23).map(Number));
      const backward = await broker.read(channelRef(), { ...BACKWARD, maxCount: 5 });
      expect(offsetsOf(backward)).toEqual([23, 22, 21, 20, 19]);
    });

    it("given a limit of bytes, when a log is read, then a page holds about as many, and at least one entry", async () => {
      const { broker } = await start();
      await appendEach(
        broker,
        channelRef(),
        numbers(10).map((text) => JSON.stringify(text.padEnd(1000, "."))),
      );
      for (const { direction, from } of [WHOLE, BACKWARD]) {
        const some = await broker.read(channelRef(), { ...WHOLE, direction, from, maxBytes: 5000 });
        expect(some.entries.length).toBeGreaterThanOrEqual(3);
        expect(some.entries.length).toBeLessThanOrEqual(5);
        const one = await broker.read(channelRef(), { ...WHOLE, direction, from, maxBytes: 1 });
        expect(one.entries).toHaveLength(1);
        const least = await broker.read(channelRef(), { ...WHOLE, direction, from, maxBytes: 0, maxCount: 0 });
        expect(least.entries).toHaveLength(1);
      }
    });

    it("given more entries than are retained, when the log is read from the start, then it begins after its base and has no hole", async () => {
      const { broker } = await start({ count: 5 });
      const results = await appendEach(broker, channelRef(), numbers(12));
      const page = await broker.read(channelRef(), WHOLE);
      expect(offsetsOf(page)).toEqual([8, 9, 10, 11, 12]);
      expect(page.base).toEqual({ offset: 7, check: results[6]?.position.check });
      expect(page.entries[0]?.prevCheck).toBe(page.base.check);
      expect(offsetsOf(await broker.read(channelRef(), BACKWARD))).toEqual([12, 11, 10, 9, 8]);
      expect(
        judgeForward({ epoch: page.epoch, offset: 3, check: results[2]?.position.check ?? 0 }, page),
      ).toMatchObject({
        miss: RecoveryMiss.RETENTION,
        missedCount: 4,
      });
    });

    it("given a bound of bytes, when entries are over it, then the oldest are gone and the newest stays", async () => {
      const { broker } = await start({ bytes: 10_000 });
      await appendEach(
        broker,
        channelRef(),
        numbers(30).map((text) => JSON.stringify(text.padEnd(1000, "."))),
      );
      const page = await broker.read(channelRef(), WHOLE);
      expect(page.entries.length).toBeGreaterThanOrEqual(5);
      expect(page.entries.length).toBeLessThanOrEqual(10);
      expect(page.entries.at(-1)?.offset).toBe(30);
      await broker.append(channelRef(), draft(JSON.stringify(".".repeat(20_000))));
      expect(offsetsOf(await broker.read(channelRef(), WHOLE))).toEqual([31]);
    });

    it("given entries beyond their age, when time has gone on, then they are gone, and a position at the top continues", async () => {
      const { broker, clock } = await start({ ageMs: 60_000 });
      const results = await appendEach(broker, channelRef(), numbers(3));
      clock.advance(30_000);
      results.push(await broker.append(channelRef(), draft("4")));
      clock.advance(35_000);
      expect(offsetsOf(await broker.read(channelRef(), WHOLE))).toEqual([4]);
      clock.advance(60_000);
      const page = await broker.read(channelRef(), { ...WHOLE, from: 4 });
      const top = results[3]?.position;
      expect(page).toMatchObject({ entries: [], base: page.top, epoch: top?.epoch });
      expect({ epoch: page.epoch, ...page.top }).toEqual(top);
      expect(top && judgeForward(top, page)).toEqual({ kind: "continues" });
      expect((await broker.append(channelRef(), draft("5"))).position.offset).toBe(5);
    });
  });
}

function pageOf(broker: Broker, from: number): Promise<LogPage> {
  return broker.read(channelRef(), { ...WHOLE, from, maxCount: 5 });
}
