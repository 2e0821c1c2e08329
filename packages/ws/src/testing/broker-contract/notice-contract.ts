import { describe, expect, it, vi } from "vitest";
import {
  appendEach,
  channelRef,
  draft,
  HeardNotices,
  numbers,
  type StartBroker,
  userRef,
  WHOLE,
} from "./broker-fixture.ts";

/** What a subscription hears. On a quiet broker every notice comes; the broadcaster relies on none. */
export function describeNotices(start: StartBroker): void {
  describe("subscribe", () => {
    it("given a subscription, when entries are appended, then the listener hears them as they are in the log", async () => {
      const { broker } = await start();
      await appendEach(broker, channelRef(), ["before"]);
      const heard = new HeardNotices();
      await broker.subscribe(channelRef(), heard);
      await appendEach(broker, channelRef(), numbers(5));
      await vi.waitFor(() => expect(heard.offsets).toEqual([2, 3, 4, 5, 6]));
      const { epoch, entries } = await broker.read(channelRef(), { ...WHOLE, from: 1 });
      expect(heard.entries).toEqual(entries.map((entry) => ({ epoch, entry })));
    });

    it("given a repeated key, when it is answered, then nobody hears of it again", async () => {
      const { broker } = await start();
      const heard = new HeardNotices();
      await broker.subscribe(channelRef(), heard);
      await broker.append(channelRef(), draft("1", { idempotencyKey: "k" }));
      await broker.append(channelRef(), draft("1", { idempotencyKey: "k" }));
      await broker.append(channelRef(), draft("2"));
      await vi.waitFor(() => expect(heard.offsets).toContain(2));
      expect(heard.offsets).toEqual([1, 2]);
    });

    it("given subscriptions to several logs, when each is written to, then each listener hears its own and no other", async () => {
      const { broker } = await start();
      const logs = [channelRef("a"), channelRef("b"), channelRef("a", "t2"), userRef("x"), userRef("y")];
      const heard = logs.map(() => new HeardNotices());
      await Promise.all(logs.map((log, index) => broker.subscribe(log, heard[index] ?? new HeardNotices())));
      for (const [index, log] of logs.entries()) await appendEach(broker, log, numbers(index + 1));
      await vi.waitFor(() => {
        expect(heard.map(({ offsets }) => offsets)).toEqual(logs.map((_, index) => numbers(index + 1).map(Number)));
      });
    });

    it("given a listener that is told to listen twice, when it has ended, then it heard each entry once, and no more", async () => {
      const { broker } = await start();
      const [first, twice] = [new HeardNotices(), new HeardNotices()];
      for (const listener of [first, twice, twice, first]) await broker.subscribe(channelRef(), listener);
      await broker.append(channelRef(), draft("1"));
      await vi.waitFor(() => expect([first.offsets, twice.offsets]).toEqual([[1], [1]]));
      for (const listener of [twice, first]) await broker.unsubscribe(channelRef(), listener);
      await broker.subscribe(channelRef(), new HeardNotices());
      await broker.append(channelRef(), draft("2"));
      expect([first.calls, twice.calls]).toEqual([1, 1]);
    });

    it("given two listeners to one log, when one has ended, then it hears no more and the other goes on", async () => {
      const { broker } = await start();
      const [closed, open] = [new HeardNotices(), new HeardNotices()];
      await broker.subscribe(channelRef(), closed);
      await broker.subscribe(channelRef(), open);
      await broker.append(channelRef(), draft("1"));
      await vi.waitFor(() => expect([closed.offsets, open.offsets]).toEqual([[1], [1]]));
      await broker.unsubscribe(channelRef(), closed);
      await broker.unsubscribe(channelRef(), closed);
      const { position } = await broker.append(channelRef(), draft("2"));
      await broker.renew(channelRef(), position.epoch);
      await vi.waitFor(() => expect([open.offsets, open.interruptions]).toEqual([[1, 2], 1]));
      expect(closed.calls).toBe(1);
    });

    it("given a listener that has ended, when the log is subscribed to again, then the log is the same", async () => {
      const { broker } = await start();
      const { position } = await broker.append(channelRef(), draft("1"));
      const gone = new HeardNotices();
      await broker.subscribe(channelRef(), gone);
      await broker.unsubscribe(channelRef(), gone);
      const heard = new HeardNotices();
      await broker.subscribe(channelRef(), heard);
      const next = await broker.append(channelRef(), draft("2"));
      expect([next.position.epoch, next.position.offset]).toEqual([position.epoch, 2]);
      await vi.waitFor(() => expect(heard.offsets).toEqual([2]));
    });
  });
}
