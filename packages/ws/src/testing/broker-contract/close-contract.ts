import { describe, expect, it } from "vitest";
import { channelRef, draft, HeardNotices, type StartBroker, WHOLE } from "./broker-fixture.ts";

/** What is left of a broker that was closed, and what it takes before. */
export function describeClose(start: StartBroker): void {
  describe("close", () => {
    it("given a closed broker, when it is asked for anything, then it is UNAVAILABLE", async () => {
      const { broker } = await start();
      const { position } = await broker.append(channelRef(), draft("1"));
      await broker.close();
      const unavailable = { code: "UNAVAILABLE" };
      await expect(broker.append(channelRef(), draft("2"))).rejects.toMatchObject(unavailable);
      await expect(broker.read(channelRef(), WHOLE)).rejects.toMatchObject(unavailable);
      await expect(broker.subscribe(channelRef(), new HeardNotices())).rejects.toMatchObject(unavailable);
      await expect(broker.renew(channelRef(), position.epoch)).rejects.toMatchObject(unavailable);
      await expect(broker.forget(channelRef().tenant)).rejects.toMatchObject(unavailable);
    });

    it("given a broker, when it is asked for its memory, open or closed, then that is a number of bytes", async () => {
      const { broker } = await start();
      await broker.append(channelRef(), draft("1"));
      expect(broker.memoryBytes).toBeGreaterThanOrEqual(0);
      const before = broker.memoryBytes;
      await broker.close();
      expect(broker.memoryBytes).toBeLessThanOrEqual(before);
    });

    it("given a broker that is closed twice, when a listener of before ends too, then nothing breaks", async () => {
      const { broker } = await start();
      const heard = new HeardNotices();
      await broker.subscribe(channelRef(), heard);
      await broker.close();
      await broker.close();
      await broker.unsubscribe(channelRef(), heard);
      expect(heard.calls).toBe(0);
    });
  });
}
