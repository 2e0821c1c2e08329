import type { HistoryPage } from "@pm/proto";
import { RecoveryMiss } from "@pm/proto";
import { describe, expect, it } from "vitest";
import { payloadId, type RecordingClient } from "../src/testing/index.ts";
import { positionOf } from "../src/testing/message-event.ts";
import { expectPromiseKept } from "./support/expect-promise-kept.ts";
import { RealServer } from "./support/real-server.ts";

const ENCODINGS = ["proto", "json"] as const;

function idsOf({ publications }: HistoryPage): string[] {
  return publications.map(({ payload }) => payloadId(payload));
}

function ids(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => `p${from + index}`);
}

async function publishAll(client: RecordingClient, count: number): Promise<void> {
  await Promise.all(ids(1, count).map((id) => client.publish("room:1", id)));
}

describe.each(ENCODINGS)("history in %s", (encoding) => {
  it("given a log, when it is read forward in pages, then the pages together are the log", async () => {
    await using real = await RealServer.start();
    const client = await real.connect("t1", "u", encoding);
    await publishAll(client, 250);
    const read: string[] = [];
    let page = await client.readHistory("room:1", { limit: 60 });
    for (read.push(...idsOf(page)); page.more; read.push(...idsOf(page))) {
      expect(page.publications).toHaveLength(60);
      page = await client.readHistory("room:1", { limit: 60, since: positionOf(page.position) });
    }
    expect(read).toEqual(ids(1, 250));
    expect([page.position?.offset, page.top?.offset, page.miss]).toEqual([250n, 250n, RecoveryMiss.UNSPECIFIED]);
    const end = await client.readHistory("room:1", { since: positionOf(page.position) });
    expect([end.publications, end.more, end.position]).toEqual([[], false, page.position]);
  });

  it("given a log, when it is read backward in pages, then the pages together are the log from its end", async () => {
    await using real = await RealServer.start();
    const client = await real.connect("t1", "u", encoding);
    await publishAll(client, 250);
    const read: string[] = [];
    let page = await client.readHistory("room:1", { backward: true });
    for (read.push(...idsOf(page)); page.more; read.push(...idsOf(page))) {
      page = await client.readHistory("room:1", { backward: true, since: positionOf(page.position) });
    }
    expect(read).toEqual(ids(1, 250).toReversed());
    expect([page.position?.offset, page.top?.offset]).toEqual([1n, 250n]);
    const end = await client.readHistory("room:1", { backward: true, since: positionOf(page.position) });
    expect([end.publications, end.more, end.position]).toEqual([[], false, page.position]);
  });

  it("given publications too large for a page, when a log is read either way, then every page has one and none is left out", async () => {
    await using real = await RealServer.start();
    const client = await real.connect("t1", "u", encoding);
    const target = { tenant: client.logOf("room:1").tenant, channel: "room:1" };
    for (const id of ids(1, 4)) {
      await real.server.publish(target, { payload: JSON.stringify(`${id} `.padEnd(300_000, ".")) });
    }
    for (const backward of [false, true]) {
      const read: string[] = [];
      let page = await client.readHistory("room:1", { backward });
      for (read.push(...idsOf(page)); page.more; read.push(...idsOf(page))) {
        page = await client.readHistory("room:1", { backward, since: positionOf(page.position) });
        expect(page.publications).toHaveLength(1);
      }
      // What is retained is 1 MiB: three of them.
      expect(read).toEqual(backward ? ids(2, 4).toReversed() : ids(2, 4));
    }
  });

  it("given many large pages asked for at once, over channels, when the client reads them, then it has all of them", async () => {
    const retention = { retainedBytes: 4_000_000 };
    await using real = await RealServer.start({ channelKinds: { defaults: retention } });
    const client = await real.connect("t1", "u", encoding);
    const channels = Array.from({ length: 5 }, (_, index) => `room:${index}`);
    for (const channel of channels) {
      for (const id of ids(1, 40)) await real.publish(client.logOf(channel), `${channel}-${id}`, 50_000);
    }
    const asked = channels.flatMap((channel) => Array.from({ length: 10 }, () => client.readHistory(channel)));
    const pages = await Promise.all(asked);
    expect(pages.every(({ publications }) => publications.length > 1)).toBe(true);
    expect(client.isConnected).toBe(true);
  });

  it("given a position that has gone, when the log is read from it, then the page says so and begins at the oldest", async () => {
    await using real = await RealServer.start({ channelKinds: { defaults: { retainedCount: 10 } } });
    const client = await real.connect("t1", "u", encoding);
    const first = positionOf((await client.publish("room:1", "p0")).position);
    await publishAll(client, 30);
    const forward = await client.readHistory("room:1", { since: first });
    expect([forward.miss, idsOf(forward)]).toEqual([RecoveryMiss.RETENTION, ids(21, 30)]);
    const wrong = { ...positionOf(forward.position), check: 1 };
    expect((await client.readHistory("room:1", { since: wrong })).miss).toBe(RecoveryMiss.CHECK_MISMATCH);
    expect((await client.readHistory("room:1", { since: { ...wrong, offset: 99 } })).miss).toBe(RecoveryMiss.AHEAD);
    const other = { ...wrong, epoch: "another" };
    expect((await client.readHistory("room:1", { since: other, backward: true })).miss).toBe(
      RecoveryMiss.EPOCH_CHANGED,
    );
  });

  it("given a limit over the most, when history is asked for, then it is refused", async () => {
    await using real = await RealServer.start();
    const client = await real.connect("t1", "u", encoding);
    await expect(client.readHistory("room:1", { limit: 1001 })).rejects.toMatchObject({
      code: "INVALID_MESSAGE",
      field: "limit",
    });
  });
});

describe.each(ENCODINGS)("rewind in %s", (encoding) => {
  it("given a log, when the last n are asked for, then they come, and what follows", async () => {
    await using real = await RealServer.start();
    const [reader, writer] = [await real.connect("t1", "r", encoding), await real.connect("t1", "w")];
    await publishAll(writer, 20);
    const { position, top, recovered } = await reader.subscribe("room:1", { rewind: 5 });
    expect([position?.offset, top?.offset, recovered]).toEqual([15n, 20n, false]);
    await writer.publish("room:1", "p21");
    await reader.reaches("room:1", 21);
    expect(real.events.get("publication")).toBe(6);
    expectPromiseKept(real.checker);
  });

  it("given fewer than asked for, when a rewind is asked for, then all that is retained comes", async () => {
    await using real = await RealServer.start({ channelKinds: { defaults: { retainedCount: 3 } } });
    const [reader, writer] = [await real.connect("t1", "r", encoding), await real.connect("t1", "w")];
    await publishAll(writer, 20);
    const { position } = await reader.subscribe("room:1", { rewind: 1000 });
    expect(position?.offset).toBe(17n);
    await reader.reaches("room:1", 20);
    expectPromiseKept(real.checker);
  });

  it("given a position beside it, or too many, when a rewind is asked for, then it is refused", async () => {
    await using real = await RealServer.start();
    const client = await real.connect("t1", "u", encoding);
    const since = positionOf((await client.publish("room:1", "p1")).position);
    await expect(client.subscribe("room:1", { since, rewind: 1 })).rejects.toMatchObject({ field: "rewind" });
    await expect(client.subscribe("room:1", { rewind: 1001 })).rejects.toMatchObject({ field: "rewind" });
  });
});

describe.each(ENCODINGS)("an idempotent publish in %s", (encoding) => {
  it("given a key, when it is published again and at once, over connections too, then there is one delivery", async () => {
    await using real = await RealServer.start();
    const [reader, writer] = [await real.connect("t1", "r"), await real.connect("t1", "w", encoding)];
    await reader.subscribe("room:1");
    const key = { idempotencyKey: "k1" };
    const replies = await Promise.all(Array.from({ length: 5 }, () => writer.publish("room:1", "p1", key)));
    await writer.cut();
    await writer.connect();
    replies.push(await writer.publish("room:1", "p1", key));
    expect(replies.map(({ duplicate }) => duplicate)).toEqual([false, true, true, true, true, true]);
    expect(new Set(replies.map(({ position, messageId }) => `${position?.offset} ${messageId}`)).size).toBe(1);
    await writer.publish("room:1", "p2", { idempotencyKey: "k2" });
    await reader.reaches("room:1", 2);
    expect(real.events.get("publication")).toBe(2);
    expectPromiseKept(real.checker);
  });

  it("given a key of one user, when another user publishes with it, then it is a publication of its own", async () => {
    await using real = await RealServer.start();
    const [ann, bob] = [await real.connect("t1", "ann", encoding), await real.connect("t1", "bob", encoding)];
    const key = { idempotencyKey: "k1" };
    expect((await ann.publish("room:1", "p1", key)).duplicate).toBe(false);
    expect((await bob.publish("room:1", "p2", key)).duplicate).toBe(false);
    expect((await bob.publish("room:2", "p3", key)).duplicate).toBe(false);
  });
});
