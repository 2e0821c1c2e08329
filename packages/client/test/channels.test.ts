import { StreamPositionSchema } from "@pm/proto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PmClient } from "../src/index.ts";
import { protobuf } from "../src/payload/protobuf.ts";
import { DeliveryRecord, upTo } from "./delivery-record.ts";
import { PmServerProcess, signToken } from "./pm-server.ts";
import { realClient } from "./real-client.ts";

describe.each(["proto", "json"] as const)("channels of the real server, in %s", (encoding) => {
  let server: PmServerProcess;
  let client: PmClient;

  beforeEach(async () => {
    server = await PmServerProcess.start({ BROADCAST_CAPACITY: "10" });
    client = realClient(server.url, { encoding });
    await client.connect();
  });

  afterEach(async () => {
    await client.close();
    await server.kill();
  });

  async function publishUpTo(count: number): Promise<void> {
    for (const id of upTo(count)) await client.channel("project:42").publish(id);
  }

  it("given a log, when its history is read page by page, then it is whole in either direction", async () => {
    await publishUpTo(15);
    const channel = client.channel("project:42");
    const forward: unknown[] = [];
    for (
      let page = await channel.history({ limit: 4 });
      ;
      page = await channel.history({ limit: 4, since: page.position })
    ) {
      forward.push(...page.publications.map(({ data }) => data));
      if (!page.hasMore) break;
    }
    expect(forward).toEqual([6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    const newest = await channel.history({ limit: 3, backward: true });
    expect(newest.publications.map(({ position }) => position.offset)).toEqual([15, 14, 13]);
    const older = await channel.history({ limit: 2, backward: true, since: newest.position });
    expect(older.publications.map(({ data }) => data)).toEqual([12, 11]);
    expect([older.hasMore, older.miss, older.top.offset]).toEqual([true, undefined, 15]);
    const gone = await channel.history({ since: { epoch: older.top.epoch, offset: 1, check: 0 } });
    expect([gone.miss, gone.publications[0]?.data]).toEqual(["RETENTION", 6]);
  });

  it("given a rewind, when the channel is subscribed to, then the last ones follow, and then the new ones", async () => {
    await publishUpTo(5);
    await using reader = realClient(server.url, { encoding });
    const channel = reader.channel("project:42", { rewind: 3 });
    const record = new DeliveryRecord(channel);
    await reader.connect();
    await channel.subscribe();
    await client.channel("project:42").publish(6);
    await record.reached(4);
    expect([record.ids, record.misses]).toEqual([[3, 4, 5, 6], []]);
  });

  it("given a position that was kept over a client, when another one subscribes with it, then it continues there", async () => {
    const channel = client.channel("project:42");
    await channel.subscribe();
    const record = new DeliveryRecord(channel);
    await publishUpTo(2);
    await record.reached(2);
    const since = JSON.parse(JSON.stringify(channel.position)) as typeof channel.position;
    await client.close();
    await using next = realClient(server.url, { encoding });
    await next.connect();
    await next.channel("project:42").publish(3);
    const continued = new DeliveryRecord(next.channel("project:42"));
    await next.channel("project:42").subscribe({ since });
    await continued.reached(1);
    expect([continued.ids, continued.recoveries]).toEqual([[3], 1]);
  });

  it("given the reserved channels, when they are subscribed to, then they are read; publishing there is refused", async () => {
    for (const name of ["tenant", "user"]) {
      const channel = client.channel(name, { rewind: 1 });
      await channel.subscribe();
      expect(channel.position?.offset).toBe(0);
      await expect(channel.publish(1)).rejects.toMatchObject({ code: "PERMISSION_DENIED", field: name });
    }
  });

  it("given a protobuf schema, when messages of it are published, then they come out as they went in", async () => {
    const channel = client.channel("position:1", { payload: protobuf(StreamPositionSchema) });
    const loop = channel[Symbol.asyncIterator]();
    const sent = { epoch: "é\u{1f600}", offset: 2n ** 60n, check: 2 ** 32 - 1 };
    await channel.subscribe();
    await channel.publish(sent);
    expect((await loop.next()).value?.data).toMatchObject(sent);
    await loop.return?.();
  });

  it("given the greatest message that the server takes, when it is published, then it is; one byte more is refused here", async () => {
    const channel = client.channel("project:42");
    let low = 0;
    let high = 65_536;
    // The server closes the connection when more is sent than it takes: every publish but the refused ones has to
    // resolve.
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      const result = await channel.publish("x".repeat(middle)).catch((error: { code: string }) => error.code);
      if (result === "MESSAGE_TOO_LARGE") high = middle;
      else low = middle;
    }
    expect(low).toBeGreaterThan(65_000);
    expect(client.state.kind).toBe("connected");
  });

  it("given an event, a key and a trace, when they are published, then readers get them and the key counts", async () => {
    const channel = client.channel("project:42");
    const loop = channel[Symbol.asyncIterator]();
    await channel.subscribe();
    const traceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const first = await channel.publish(1, { event: "task.done", idempotencyKey: "k", traceParent });
    const second = await channel.publish(2, { idempotencyKey: "k" });
    expect([second.isDuplicate, second.position]).toEqual([true, first.position]);
    const { messageId } = first;
    expect((await loop.next()).value).toMatchObject({
      data: 1,
      event: "task.done",
      traceParent,
      messageId,
      publisher: "u-1",
    });
    await loop.return?.();
  });

  it("given a grant without history, when history and rewind are asked for, then they are refused, and positions still work", async () => {
    const channels = [{ pattern: "project:*", allow: ["subscribe", "publish"] }];
    await using limited = realClient(server.url, { encoding, getToken: () => signToken({ channels }) });
    await limited.connect();
    const channel = limited.channel("project:42");
    await expect(channel.history()).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    await expect(channel.subscribe({ rewind: 1 })).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    await channel.subscribe();
    const since = channel.position;
    channel.unsubscribe();
    await channel.subscribe({ since });
    expect(channel.state).toBe("subscribed");
  });
});
