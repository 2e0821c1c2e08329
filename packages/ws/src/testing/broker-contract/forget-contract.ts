import { describe, expect, it, vi } from "vitest";
import { channelRef, draft, HeardNotices, numbers, type StartBroker, WHOLE } from "./broker-fixture.ts";

const { tenant } = channelRef();

/** What is left of a tenant that was forgotten. */
export function describeForget(start: StartBroker): void {
  describe("forget", () => {
    it("given logs with subscriptions and without, when their tenant is forgotten, then they are new, and listeners have to read them", async () => {
      const { broker } = await start();
      const heard = new HeardNotices();
      await broker.subscribe(channelRef("a"), heard);
      const before = [
        await broker.append(channelRef("a"), draft("1")),
        await broker.append(channelRef("b"), draft("1")),
      ];
      await broker.forget(tenant);
      await vi.waitFor(() => expect(heard.interruptions).toBe(1));
      for (const [index, name] of ["a", "b"].entries()) {
        const page = await broker.read(channelRef(name), WHOLE);
        expect(page).toMatchObject({ entries: [], base: { offset: 0 }, top: { offset: 0 } });
        expect(page.epoch).not.toBe(before[index]?.position.epoch);
      }
      const { position } = await broker.append(channelRef("a"), draft("2"));
      expect(position.offset).toBe(1);
      await vi.waitFor(() => expect(heard.entries.at(-1)?.epoch).toBe(position.epoch));
      await broker.unsubscribe(channelRef("a"), heard);
    });

    it("given a key, when its tenant is forgotten, then it is a new one", async () => {
      const { broker } = await start();
      const keyed = draft("1", { idempotencyKey: "k" });
      await broker.append(channelRef(), keyed);
      await broker.forget(tenant);
      expect(await broker.append(channelRef(), keyed)).toMatchObject({ duplicate: false, position: { offset: 1 } });
      expect(await broker.append(channelRef(), keyed)).toMatchObject({ duplicate: true, position: { offset: 1 } });
    });

    it("given a tenant that nobody knows, or twice the same, when it is forgotten, then nothing breaks", async () => {
      const { broker } = await start();
      await broker.forget(tenant);
      for (const name of numbers(20)) await broker.append(channelRef(name), draft("1"));
      await Promise.all([broker.forget(tenant), broker.forget(tenant)]);
      expect((await broker.append(channelRef("1"), draft("1"))).position.offset).toBe(1);
    });
  });
}
