import { describe, expect, it, vi } from "vitest";
import { appendEach, channelRef, draft, HeardNotices, numbers, type StartBroker, WHOLE } from "./broker-fixture.ts";

/** What an epoch says, and how a log gets a new one. */
export function describeEpochs(start: StartBroker): void {
  describe("epoch", () => {
    it("given a log, when it is written to, read, left alone and emptied by age, then its epoch stays", async () => {
      const { broker, clock } = await start({ ageMs: 1000 });
      const epochs = new Set<string>();
      for (const { position } of await appendEach(broker, channelRef(), numbers(3))) epochs.add(position.epoch);
      clock.advance(3_600_000);
      const page = await broker.read(channelRef(), WHOLE);
      epochs.add(page.epoch);
      epochs.add((await broker.append(channelRef(), draft("4"))).position.epoch);
      expect([...epochs]).toHaveLength(1);
      expect(page.entries).toEqual([]);
    });

    it("given many logs, when each is made, then no two have one epoch", async () => {
      const { broker } = await start();
      const pages = await Promise.all(numbers(50).map((name) => broker.read(channelRef(name), WHOLE)));
      expect(new Set(pages.map(({ epoch }) => epoch)).size).toBe(50);
    });

    it("given a stale epoch, when it is renewed, then the log is a new one and listeners have to read it", async () => {
      const { broker } = await start();
      const [, last] = await appendEach(broker, channelRef(), numbers(2));
      const heard = new HeardNotices();
      await broker.subscribe(channelRef(), heard);
      await broker.renew(channelRef(), last?.position.epoch ?? "");
      const page = await broker.read(channelRef(), WHOLE);
      expect(page).toMatchObject({ entries: [], base: { offset: 0 }, top: { offset: 0 } });
      expect(page.epoch).not.toBe(last?.position.epoch);
      await vi.waitFor(() => expect(heard.interruptions).toBe(1));
      const { position } = await broker.append(channelRef(), draft("1"));
      expect([position.epoch, position.offset]).toEqual([page.epoch, 1]);
      await vi.waitFor(() => expect(heard.entries.map(({ epoch }) => epoch)).toEqual([page.epoch]));
    });

    it("given an epoch that was renewed already, when it is renewed again, then the log stays as it is", async () => {
      const { broker } = await start();
      const { position } = await broker.append(channelRef(), draft("1"));
      await Promise.all([broker.renew(channelRef(), position.epoch), broker.renew(channelRef(), position.epoch)]);
      const { epoch } = (await broker.append(channelRef(), draft("2"))).position;
      await broker.renew(channelRef(), position.epoch);
      await broker.renew(channelRef(), "never an epoch");
      const page = await broker.read(channelRef(), WHOLE);
      expect([page.epoch, page.top.offset]).toEqual([epoch, 1]);
    });

    it("given a channel that nobody wrote to, when it is renewed, then nothing breaks", async () => {
      const { broker } = await start();
      await broker.renew(channelRef(), "never an epoch");
      expect((await broker.append(channelRef(), draft("1"))).position.offset).toBe(1);
    });
  });
}
