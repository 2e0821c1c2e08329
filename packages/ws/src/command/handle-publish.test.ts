import { KeyedRateLimiter } from "@pm/auth";
import { ManualClock } from "@pm/core/testing";
import type { ServerMessage } from "@pm/proto";
import { describe, expect, test } from "vitest";
import { MessageClient, type MessageToSend, outline } from "../../test/support/message-client.ts";
import { SimulatedServer } from "../../test/support/simulated-server.ts";
import { MemoryBroker } from "../log/memory-broker.ts";
import { channelRef, offsetsOf, WHOLE } from "../testing/broker-contract/broker-fixture.ts";
import { HostileBroker, SeededRandom } from "../testing/index.ts";

interface PublishValue {
  readonly channel?: string;
  readonly json?: string;
  readonly event?: string;
  readonly traceParent?: string;
  readonly idempotencyKey?: string;
}

function publish(id: number, { channel = "room:1", json, ...fields }: PublishValue = {}): MessageToSend {
  const payload = json === undefined ? {} : { payload: { kind: { case: "json" as const, value: json } } };
  return { id, body: { case: "publish", value: { channel, ...fields, ...payload } } };
}

/** Offsets in the log of a channel. */
async function logOf({ server }: SimulatedServer, name = "room:1"): Promise<number[]> {
  return offsetsOf(await server.broker.read(channelRef(name), WHOLE));
}

function bodyOf(messages: readonly ServerMessage[], id: number): ServerMessage["body"]["value"] {
  return messages.find(({ replyTo }) => replyTo === id)?.body.value;
}

describe("a publication", () => {
  test("given a publish, when it is acknowledged, then the log has it there, and a reader has all of it", async () => {
    await using simulation = new SimulatedServer();
    using client = await MessageClient.open(simulation, "t1.ann");
    using reader = await MessageClient.open(simulation, "t1.bob", "json");
    await reader.exchange({ id: 1, body: { case: "subscribe", value: { channel: "room:1" } } });
    const fields = { json: '{"x":1}', event: "moved", traceParent: "00-1-2-01" };
    const answers = await client.exchange(publish(7, fields));
    const { epoch, top } = await simulation.server.broker.read(channelRef(), WHOLE);
    const position = { epoch, offset: BigInt(top.offset), check: top.check };
    expect(bodyOf(answers, 7)).toMatchObject({ position, duplicate: false });
    await reader.until(() => reader.messages.length === 2);
    const published = bodyOf(answers, 7) as { messageId: string };
    expect(reader.messages[1]?.body).toMatchObject({
      case: "publication",
      value: {
        channel: "room:1",
        offset: 1n,
        check: top.check,
        payload: { kind: { case: "json", value: '{"x":1}' } },
        event: "moved",
        publisher: "ann",
        publishedAtMs: BigInt(simulation.clock.now()),
        messageId: published.messageId,
        traceParent: "00-1-2-01",
      },
    });
  });

  test("given a key that is used twice in a frame, when both are answered, then the second has the place of the first", async () => {
    await using simulation = new SimulatedServer();
    using client = await MessageClient.open(simulation);
    const answers = await client.exchange(publish(1, { idempotencyKey: "k" }), publish(2, { idempotencyKey: "k" }));
    const [first, second] = [bodyOf(answers, 1), bodyOf(answers, 2)];
    expect(second).toEqual({ ...first, duplicate: true });
    expect(await logOf(simulation)).toEqual([1]);
  });

  test("given a broker that cannot tell the outcome, when it is published, then it is UNAVAILABLE and may be retried", async () => {
    const clock = new ManualClock();
    const random = new SeededRandom(1);
    const broker = new HostileBroker({
      broker: new MemoryBroker({ clock }),
      clock,
      random,
      faults: { failAppends: 1 },
    });
    await using simulation = new SimulatedServer({ clock, broker });
    using client = await MessageClient.open(simulation);
    const answers = await client.exchange(publish(1));
    expect(outline(answers)).toEqual(["1 error UNAVAILABLE"]);
    expect(bodyOf(answers, 1)).toMatchObject({ retryable: true });
  });
});

describe("who may publish", () => {
  test.each([
    ["a token without the grant", "t1.u1.subscribe+history", "room:1"],
    ["the tenant-wide channel", "t1.u1", "tenant"],
    ["the channel of the user", "t1.u1.publish", "user"],
  ])(
    "given %s, when it is published to, then it is denied, with the channel, and the log stays as it is",
    async (_, token, channel) => {
      await using simulation = new SimulatedServer();
      using client = await MessageClient.open(simulation, token);
      const answers = await client.exchange(publish(1, { channel }));
      expect(outline(answers)).toEqual(["1 error PERMISSION_DENIED"]);
      expect(bodyOf(answers, 1)).toMatchObject({ field: channel, retryable: false });
      expect(await logOf(simulation, channel)).toEqual([]);
    },
  );

  test("given a publication that is denied, when quotas are counted, then it is not", async () => {
    const clock = new ManualClock();
    const tenantPublications = new KeyedRateLimiter({ maxRequests: 1, windowSecs: 60, clock });
    await using simulation = new SimulatedServer({ clock, tenantPublications });
    using client = await MessageClient.open(simulation);
    const answers = await client.exchange(publish(1, { channel: "tenant" }), publish(2));
    expect(outline(answers).toSorted()).toEqual(["1 error PERMISSION_DENIED", "2 published"]);
  });
});

describe("the quotas of a tenant", () => {
  test("given publications over theirs, when more come from any of its connections, then these are refused, others' not", async () => {
    const clock = new ManualClock();
    const tenantPublications = new KeyedRateLimiter({ maxRequests: 2, windowSecs: 60, clock });
    await using simulation = new SimulatedServer({ clock, tenantPublications });
    using ann = await MessageClient.open(simulation, "t1.ann");
    using bob = await MessageClient.open(simulation, "t1.bob");
    using other = await MessageClient.open(simulation, "t2.ann");
    await ann.exchange(publish(1), publish(2));
    const refused = await bob.exchange(publish(3));
    expect(outline(refused)).toEqual(["3 error RATE_LIMIT_EXCEEDED"]);
    expect(bodyOf(refused, 3)).toMatchObject({ retryable: true, retryAfterMs: 30_000 });
    expect(outline(await other.exchange(publish(1)))).toEqual(["1 published"]);
    clock.advance(30_000);
    expect(outline(await bob.exchange(publish(4)))).toEqual(["4 published"]);
    expect(await logOf(simulation)).toEqual([1, 2, 3]);
  });

  test("given bytes over theirs, when they are counted, then in UTF-8, and one where there are none", async () => {
    const clock = new ManualClock();
    const tenantBytes = new KeyedRateLimiter({ maxRequests: 10, windowSecs: 10, clock });
    await using simulation = new SimulatedServer({ clock, tenantBytes });
    using client = await MessageClient.open(simulation);
    // Six characters, and eight bytes.
    expect(outline(await client.exchange(publish(1, { json: '"\u20acxxx"' })))).toEqual(["1 published"]);
    expect(outline(await client.exchange(publish(2, { json: '"x"' })))).toEqual(["2 error RATE_LIMIT_EXCEEDED"]);
    const empty = await client.exchange(publish(3), publish(4, { json: "" }), publish(5));
    expect(outline(empty).toSorted()).toEqual(["3 published", "4 published", "5 error RATE_LIMIT_EXCEEDED"]);
  });

  test("given a violation of a quota, when there are many in a row, then the connection stays", async () => {
    const clock = new ManualClock();
    const tenantPublications = new KeyedRateLimiter({ maxRequests: 1, windowSecs: 60, clock });
    await using simulation = new SimulatedServer({ clock, tenantPublications });
    using client = await MessageClient.open(simulation);
    for (let id = 1; id <= 20; id++) await client.exchange(publish(id));
    expect(client.closeCode).toBeUndefined();
  });
});

describe("a fan-out over its bound", () => {
  test("given a publisher, when more is pending than may be, then it is not read until half of it is out", async () => {
    await using simulation = new SimulatedServer({
      maxPendingBytesPerTenant: 1024,
      channelKinds: { defaults: { flushDelayMs: 60_000 } },
    });
    using publisher = await MessageClient.open(simulation, "t1.ann");
    using reader = await MessageClient.open(simulation, "t1.bob");
    using other = await MessageClient.open(simulation, "t2.ann");
    await reader.exchange({ id: 1, body: { case: "subscribe", value: { channel: "room:1" } } });
    await publisher.exchange(publish(1, { json: JSON.stringify("x".repeat(1500)) }));
    publisher.send(publish(2));
    await simulation.pass(1000);
    expect(outline(publisher.messages)).toEqual(["1 published"]);
    expect(outline(await other.exchange(publish(1)))).toEqual(["1 published"]);
    await simulation.pass(60_000, 1000);
    await publisher.until(() => publisher.messages.length === 2);
    expect(outline(publisher.messages)).toEqual(["1 published", "2 published"]);
  });
});
