import type { Encoding } from "@pm/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jsonOf, ProtocolClient, publishOf } from "./support/protocol-client.ts";
import { ServerProcess } from "./support/server-process.ts";
import { nowSecs, tokenFor } from "./support/token.ts";
import { expectUnharmed } from "./support/unharmed.ts";

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start({ HEARTBEAT_INTERVAL_SECS: "20", HEARTBEAT_TIMEOUT_SECS: "5" });
});

afterAll(async () => {
  await expectUnharmed(server);
  await server[Symbol.asyncDispose]();
});

const encodings: Encoding[] = ["proto", "json"];

describe.each(encodings)("the main job in %s", (encoding) => {
  it("given a good token, when a client connects, then Welcome comes first and tells who and what it is", async () => {
    await using client = await ProtocolClient.connect(server, {
      encoding,
      tenant: "acme",
      user: "ünï :*",
      expiresInSecs: 600,
    });
    expect(client.subprotocol).toBe(`pm.v1.${encoding}`);
    expect(client.welcome).toMatchObject({
      tenantId: "acme",
      userId: "ünï :*",
      heartbeatIntervalMs: 20_000,
      heartbeatTimeoutMs: 5_000,
      features: [],
      limits: {
        maxMessageBytes: 65_536,
        maxFrameBytes: 65_536,
        maxSubscriptions: 128,
        maxHistory: 1_000,
        idempotencyWindowMs: 300_000,
      },
    });
    expect(client.welcome.connectionId).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(client.welcome.nodeId).not.toBe("");
    expect(Math.abs(Number(client.welcome.serverTimeMs) - Date.now())).toBeLessThan(5_000);
    expect(Math.abs(Number(client.welcome.tokenExpiresAtMs) - (nowSecs() + 600) * 1_000)).toBeLessThan(5_000);
  });

  it("given a new connection, when it has been greeted, then it is subscribed to tenant at the end of the log", async () => {
    await using client = await ProtocolClient.connect(server, { encoding });
    const [, second] = client.messages;
    expect(second?.replyTo).toBe(0);
    if (second?.body.case !== "subscribed") throw new Error(`second came ${second?.body.case}`);
    expect(second.body.value.channel).toBe("tenant");
    expect(second.body.value.position).toEqual(second.body.value.top);
  });

  it("given a subscriber, when another user of the tenant publishes, then the first receives it", async () => {
    const channel = `main-${encoding}:1`;
    await using listener = await ProtocolClient.connect(server, { encoding, user: "listener" });
    await using publisher = await ProtocolClient.connect(server, { encoding, user: "publisher" });
    const subscribed = await listener.subscribe(channel);
    expect(subscribed).toMatchObject({ channel, recovered: false, missedCount: 0n });
    expect(subscribed.position?.offset).toBe(0n);
    const before = Date.now();
    const published = await publisher.expect("published", {
      case: "publish",
      value: {
        channel,
        payload: { kind: { case: "json", value: '{"b": 1,  "a":"ü"}' } },
        event: "task.done",
        traceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      },
    });
    const publication = await listener.take("publication");
    expect(publication).toMatchObject({
      channel,
      offset: 1n,
      event: "task.done",
      publisher: "publisher",
      messageId: published.messageId,
      traceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    });
    expect(jsonOf(publication)).toBe('{"b": 1,  "a":"ü"}');
    expect(publication.check).not.toBe(0);
    expect(published.position).toMatchObject({
      epoch: subscribed.position?.epoch,
      offset: 1n,
      check: publication.check,
    });
    expect(Math.abs(Number(publication.publishedAtMs) - before)).toBeLessThan(5_000);
  });

  it("given payloads of any bytes, of text that is not JSON and none at all, when they are published, then they arrive as they are", async () => {
    const channel = `payload-${encoding}`;
    await using client = await ProtocolClient.connect(server, { encoding });
    await client.subscribe(channel);
    const data = Uint8Array.from({ length: 256 }, (_, index) => index);
    await client.expect("published", {
      case: "publish",
      value: { channel, payload: { kind: { case: "data", value: data } } },
    });
    await client.publish(channel, "{not json");
    await client.expect("published", { case: "publish", value: { channel } });
    const first = await client.take("publication");
    expect(first.payload?.kind.case).toBe("data");
    expect(Buffer.from(first.payload?.kind.value as Uint8Array)).toEqual(Buffer.from(data));
    expect(jsonOf(await client.take("publication"))).toBe("{not json");
    expect((await client.take("publication")).payload?.kind.case).toBeUndefined();
  });

  it("given the same channel name in another tenant, when one tenant publishes, then the other receives nothing", async () => {
    const channel = `shared-${encoding}:1`;
    const same = { encoding, user: "u-1" };
    await using ours = await ProtocolClient.connect(server, { ...same, tenant: "acme" });
    await using theirs = await ProtocolClient.connect(server, { ...same, tenant: "globex" });
    await ours.subscribe(channel);
    await theirs.subscribe(channel);
    for (let n = 1; n <= 5; n += 1) await ours.publish(channel, `"ours ${n}"`);
    await theirs.publish(channel, '"theirs"');
    for (let n = 1; n <= 5; n += 1) expect(jsonOf(await ours.take("publication"))).toBe(`"ours ${n}"`);
    const only = await theirs.take("publication");
    expect([jsonOf(only), only.offset]).toEqual(['"theirs"', 1n]);
    await theirs.expect("pong", { case: "ping", value: {} });
    await ours.expect("pong", { case: "ping", value: {} });
    expect(theirs.received("publication")).toHaveLength(1);
    expect(ours.received("publication")).toHaveLength(5);
  });

  it("given an unsubscribed channel, when somebody publishes to it, then nothing comes after Unsubscribed", async () => {
    const channel = `left-${encoding}`;
    await using client = await ProtocolClient.connect(server, { encoding });
    await client.subscribe(channel);
    await client.publish(channel, "1");
    await client.take("publication");
    const unsubscribed = await client.expect("unsubscribed", { case: "unsubscribe", value: { channel } });
    expect(unsubscribed).toMatchObject({ channel, code: "" });
    await client.publish(channel, "2");
    await client.expect("pong", { case: "ping", value: {} });
    expect(client.received("publication")).toHaveLength(1);
    const error = await client.refusal({ case: "unsubscribe", value: { channel } });
    expect(error).toMatchObject({ code: "NOT_SUBSCRIBED", field: channel, retryable: false });
  });

  it("given many publishes in one frame, when they are carried out, then offsets follow the order sent", async () => {
    const channel = `order-${encoding}`;
    await using client = await ProtocolClient.connect(server, { encoding });
    await client.subscribe(channel);
    const ids = client.send(...Array.from({ length: 50 }, (_, n) => publishOf(channel, String(n))));
    const offsets = await Promise.all(
      ids.map(async (id) => {
        const body = await client.reply(id);
        return body.case === "published" ? body.value.position?.offset : body.case;
      }),
    );
    expect(offsets).toEqual(Array.from({ length: 50 }, (_, n) => BigInt(n + 1)));
    for (let n = 0; n < 50; n += 1) expect(jsonOf(await client.take("publication"))).toBe(String(n));
  });
});

describe("two encodings", () => {
  it("given one client of each, when either publishes, then both receive the same", async () => {
    await using binary = await ProtocolClient.connect(server, { encoding: "proto", user: "binary" });
    await using text = await ProtocolClient.connect(server, { encoding: "json", user: "text" });
    await binary.subscribe("mixed");
    await text.subscribe("mixed");
    await binary.publish("mixed", '"from binary"');
    await text.publish("mixed", '"from text"');
    for (const publisher of ["binary", "text"]) {
      const [one, other] = [await binary.take("publication"), await text.take("publication")];
      expect(one).toEqual(other);
      expect([one.publisher, jsonOf(one)]).toEqual([publisher, `"from ${publisher}"`]);
    }
  });

  it("given a token in the subprotocol list, when a client connects so, then it does the main job", async () => {
    await using client = await ProtocolClient.connect(server, {
      encoding: "json",
      via: "subprotocol",
      user: "browser",
    });
    expect(client.subprotocol).toBe("pm.v1.json");
    expect(client.welcome.userId).toBe("browser");
    await client.subscribe("browser");
    await client.publish("browser", "1");
    expect(jsonOf(await client.take("publication"))).toBe("1");
  });

  it("given an idempotency key used twice, when both are answered, then there is one publication", async () => {
    await using client = await ProtocolClient.connect(server, { user: "retrier" });
    await using other = await ProtocolClient.connect(server, { token: await tokenFor({ user: "other" }) });
    await client.subscribe("retried");
    const command = {
      case: "publish",
      value: { channel: "retried", payload: { kind: { case: "json", value: "1" } }, idempotencyKey: "k-1" },
    } as const;
    const [first, second] = client.send(command, command);
    const replies = [await client.reply(first ?? 0), await client.reply(second ?? 0)].map(({ value }) => value);
    expect(replies).toMatchObject([
      { duplicate: false, position: { offset: 1n } },
      { duplicate: true, position: { offset: 1n } },
    ]);
    expect(await other.expect("published", command)).toMatchObject({ duplicate: false, position: { offset: 2n } });
    expect((await client.take("publication")).offset).toBe(1n);
    expect((await client.take("publication")).offset).toBe(2n);
  });
});
