import { describe, expect, it } from "vitest";
import { publicationIn } from "../entry-publication.ts";
import { appendEach, channelRef, draft, numbers, offsetsOf, type StartBroker, WHOLE } from "./broker-fixture.ts";

/** What an append does to a log. */
export function describeAppend(start: StartBroker): void {
  describe("append", () => {
    it("given a new channel, when publications are appended, then offsets begin at 1 and have no hole", async () => {
      const { broker } = await start();
      const results = await appendEach(broker, channelRef(), numbers(20));
      expect(results.map(({ position }) => position.offset)).toEqual(numbers(20).map(Number));
      expect(offsetsOf(await broker.read(channelRef(), WHOLE))).toEqual(numbers(20).map(Number));
    });

    it("given an append that resolved, when the log is read at once, then the entry is in it", async () => {
      const { broker } = await start();
      for (const text of numbers(10)) {
        const { position, messageId, duplicate } = await broker.append(channelRef(), draft(text));
        const page = await broker.read(channelRef(), { ...WHOLE, from: position.offset - 1 });
        const [entry] = page.entries;
        expect(entry).toMatchObject({ offset: position.offset, check: position.check });
        expect(entry && publicationIn(entry)).toMatchObject({ messageId, payload: { kind: { value: text } } });
        expect({ epoch: page.epoch, ...page.top }).toEqual(position);
        expect(duplicate).toBe(false);
      }
    });

    it("given a log, when it grows, then each entry knows the tag before it, from the base on", async () => {
      const { broker } = await start();
      await appendEach(broker, channelRef(), numbers(30));
      const { base, top, entries } = await broker.read(channelRef(), WHOLE);
      expect(entries.map(({ prevCheck }) => prevCheck)).toEqual([
        base.check,
        ...entries.slice(0, -1).map(({ check }) => check),
      ]);
      expect(top).toEqual({ offset: 30, check: entries.at(-1)?.check });
      for (const check of [base.check, ...entries.map((entry) => entry.check)]) {
        expect(Number.isInteger(check) && check > 0 && check < 2 ** 32).toBe(true);
      }
      expect(new Set(entries.map(({ check }) => check)).size).toBe(30);
    });

    it("given appends that do not wait for each other, when they are done, then the log has them in the order of their calls", async () => {
      const { broker } = await start();
      const appends = numbers(50).map(async (text) => broker.append(channelRef(), draft(text)));
      const results = await Promise.all(appends);
      const page = await broker.read(channelRef(), WHOLE);
      expect(results.map(({ position }) => position.offset)).toEqual(numbers(50).map(Number));
      expect(page.entries.map((entry) => publicationIn(entry).payload?.kind.value)).toEqual(numbers(50));
    });

    it("given publications of every form, when they are read, then nothing of them has changed", async () => {
      const { broker, clock } = await start();
      clock.advance(1234);
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      await broker.append(
        channelRef(),
        draft("", { payload: { kind: "data", data: bytes }, event: "é", traceParent: "00-a-b-01" }),
      );
      await broker.append(channelRef(), draft('{"a":"\u{1f600}"}', { publisher: "" }));
      await broker.append(channelRef(), draft("", { payload: undefined }));
      await broker.append(channelRef(), draft("", { payload: { kind: "data", data: new Uint8Array() } }));
      const { entries } = await broker.read(channelRef(), WHOLE);
      const [data, json, none, empty] = entries.map(publicationIn);
      expect(data).toMatchObject({
        channel: "room:1",
        offset: 1n,
        event: "é",
        publisher: "u1",
        traceParent: "00-a-b-01",
      });
      expect(data).toMatchObject({ check: entries[0]?.check, publishedAtMs: BigInt(clock.now()) });
      expect(data?.payload?.kind).toEqual({ case: "data", value: bytes });
      expect(json).toMatchObject({ publisher: "", payload: { kind: { case: "json", value: '{"a":"\u{1f600}"}' } } });
      expect(none?.payload).toBeUndefined();
      expect(empty?.payload?.kind).toEqual({ case: "data", value: new Uint8Array() });
      expect(entries.map(({ publishedAtMs }) => publishedAtMs)).toEqual(Array.from({ length: 4 }, () => clock.now()));
      expect(new Set([data, json, none, empty].map((publication) => publication?.messageId)).size).toBe(4);
    });

    it("given bytes that are written over after the call, when the entry is read, then it has the first ones", async () => {
      const { broker } = await start();
      const bytes = Uint8Array.of(1, 2, 3);
      const appended = broker.append(channelRef(), draft("", { payload: { kind: "data", data: bytes } }));
      bytes.fill(9);
      await appended;
      const [entry] = (await broker.read(channelRef(), WHOLE)).entries;
      expect(entry && publicationIn(entry).payload?.kind.value).toEqual(Uint8Array.of(1, 2, 3));
    });
  });
}
