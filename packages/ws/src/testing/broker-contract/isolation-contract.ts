import { type ChannelRef, parseTenantId } from "@pm/core";
import { describe, expect, it } from "vitest";
import { publicationIn } from "../entry-publication.ts";
import { channelRef, draft, type StartBroker, userRef, WHOLE } from "./broker-fixture.ts";

/** Names that would be one log if they were put together without care. */
const LOGS: readonly ChannelRef[] = [
  channelRef("c", "t"),
  channelRef("c", "T"),
  channelRef("c", "t.c"),
  channelRef("t/c", "t"),
  channelRef("c/t", "t"),
  channelRef("c:1", "t"),
  channelRef("1", "t"),
  channelRef("tenant", "t"),
  channelRef("tenant", "t.c"),
  channelRef("user:x", "t"),
  channelRef("user/x", "t"),
  userRef("x", "t"),
  userRef("x", "t.c"),
  userRef("X", "t"),
  userRef("x\0", "t"),
  userRef("x\0user", "t"),
  userRef("/x", "t"),
  userRef(":x{}*", "t"),
  userRef("\u{1f600}", "t"),
];

/** That logs have nothing to do with each other. */
export function describeIsolation(start: StartBroker): void {
  describe("isolation", () => {
    it("given logs with names that look alike, when each is written to, then each has its own and nothing else", async () => {
      const { broker } = await start();
      for (const [index, log] of LOGS.entries()) {
        for (let count = 0; count <= index; count++)
          await broker.append(log, draft(`"${index}"`, { idempotencyKey: `${count}` }));
      }
      const epochs = new Set<string>();
      for (const [index, log] of LOGS.entries()) {
        const { epoch, entries } = await broker.read(log, WHOLE);
        epochs.add(epoch);
        expect(entries.map((entry) => publicationIn(entry).payload?.kind.value)).toEqual(
          Array.from({ length: index + 1 }, () => `"${index}"`),
        );
        expect(entries.every((entry) => publicationIn(entry).channel === log.name)).toBe(true);
      }
      expect(epochs.size).toBe(LOGS.length);
    });

    it("given logs with names that look alike, when one is renewed, then the others stay", async () => {
      const { broker } = await start();
      for (const log of LOGS) await broker.append(log, draft("1"));
      const before = await Promise.all(LOGS.map((log) => broker.read(log, WHOLE)));
      const [renewed] = LOGS;
      if (renewed !== undefined) await broker.renew(renewed, before[0]?.epoch ?? "");
      const after = await Promise.all(LOGS.map((log) => broker.read(log, WHOLE)));
      expect(after.slice(1)).toEqual(before.slice(1));
      expect(after[0]?.entries).toEqual([]);
    });

    it("given tenants with names that look alike, when one is forgotten, then the others stay", async () => {
      const { broker } = await start();
      for (const log of LOGS) await broker.append(log, draft("1"));
      const before = await Promise.all(LOGS.map((log) => broker.read(log, WHOLE)));
      const forgotten = parseTenantId("t");
      await broker.forget(forgotten);
      for (const [index, log] of LOGS.entries()) {
        const page = await broker.read(log, WHOLE);
        if (log.tenant !== forgotten) expect(page).toEqual(before[index]);
        else expect([page.entries, page.epoch === before[index]?.epoch]).toEqual([[], false]);
      }
    });
  });
}
