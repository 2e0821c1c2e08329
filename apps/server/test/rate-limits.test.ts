import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { outcomes, times } from "./support/outcomes.ts";
import { type Command, jsonOf, ProtocolClient, publishOf } from "./support/protocol-client.ts";
import { ServerProcess } from "./support/server-process.ts";
import { expectUnharmed } from "./support/unharmed.ts";

const PING: Command = { case: "ping", value: {} };

let server: ServerProcess;

afterEach(async () => {
  await expectUnharmed(server);
  await server[Symbol.asyncDispose]();
});

describe("the message rate of a connection", () => {
  it("given 10 messages in 10 s, when an 11th comes, then it is dropped with retry_after_ms, after which it is let through", async () => {
    server = await ServerProcess.start({ RATE_LIMIT_REQUESTS: "10", RATE_LIMIT_WINDOW_SECS: "10" });
    await using client = await ProtocolClient.connect(server);
    await using other = await ProtocolClient.connect(server, { user: "other" });
    await other.subscribe("limited");
    expect(await outcomes(client, ...times(10, PING))).toEqual(times(10, "pong"));
    const error = await client.refusal(publishOf("limited", '"dropped"'));
    expect(error).toMatchObject({
      code: "RATE_LIMIT_EXCEEDED",
      message: "Too many messages in too short a time.",
      retryable: true,
    });
    expect(error.retryAfterMs).toBeGreaterThan(0);
    expect(error.retryAfterMs).toBeLessThanOrEqual(1_000);
    await delay(error.retryAfterMs);
    await client.publish("limited", '"let through"');
    expect(jsonOf(await other.take("publication"))).toBe('"let through"');
    expect(await other.expect("pong", PING)).toBeDefined();
  });

  it("given a message rate that is used up, when another connection of the same user sends, then it feels nothing", async () => {
    server = await ServerProcess.start({ RATE_LIMIT_REQUESTS: "5", RATE_LIMIT_WINDOW_SECS: "60" });
    await using offender = await ProtocolClient.connect(server);
    await using same = await ProtocolClient.connect(server);
    expect(await outcomes(offender, ...times(8, PING))).toEqual([
      ...times(5, "pong"),
      ...times(3, "RATE_LIMIT_EXCEEDED"),
    ]);
    expect(await outcomes(same, ...times(5, PING))).toEqual(times(5, "pong"));
  });

  it("given frames with many messages over the rate, when five such frames come in a row, then it is 4029, and not before", async () => {
    server = await ServerProcess.start({ RATE_LIMIT_REQUESTS: "1", RATE_LIMIT_WINDOW_SECS: "3600" });
    const client = await ProtocolClient.connect(server);
    expect(await outcomes(client, ...times(200, PING))).toHaveLength(200);
    for (let frame = 2; frame <= 4; frame += 1)
      expect(new Set(await outcomes(client, ...times(20, PING)))).toEqual(new Set(["RATE_LIMIT_EXCEEDED"]));
    client.send(PING);
    expect((await client.closed).code).toBe(4029);
    const last = client.received("error").at(-1);
    expect(last).toMatchObject({ code: "RATE_LIMIT_EXCEEDED" });
    expect(last?.retryAfterMs).toBeGreaterThan(0);
  });

  it("given a frame within the rate between those over it, when it comes, then the row begins anew", async () => {
    server = await ServerProcess.start({ RATE_LIMIT_REQUESTS: "1", RATE_LIMIT_WINDOW_SECS: "2" });
    await using client = await ProtocolClient.connect(server);
    for (let round = 0; round < 3; round += 1) {
      await client.request(PING);
      let waitMs = 0;
      for (let n = 0; n < 4; n += 1) {
        const { code, retryAfterMs } = await client.refusal(PING);
        expect(code).toBe("RATE_LIMIT_EXCEEDED");
        waitMs = retryAfterMs;
      }
      await delay(waitMs + 10);
    }
  });

  it("given frames that have a limit of their own between those over the rate, when five were over it, then it is 4029", async () => {
    server = await ServerProcess.start({ RATE_LIMIT_REQUESTS: "1", RATE_LIMIT_WINDOW_SECS: "3600" });
    const client = await ProtocolClient.connect(server);
    await client.request(PING);
    for (let n = 0; n < 4; n += 1) {
      expect((await client.refusal(PING)).code).toBe("RATE_LIMIT_EXCEEDED");
      await client.subscribe(`between:${n}`);
    }
    client.send(PING);
    expect((await client.closed).code).toBe(4029);
  });

  it("given id 0, when a message over the rate is dropped, then it is told with reply_to 0", async () => {
    server = await ServerProcess.start({ RATE_LIMIT_REQUESTS: "1", RATE_LIMIT_WINDOW_SECS: "3600" });
    await using client = await ProtocolClient.connect(server, { encoding: "json" });
    client.sendRaw('{"messages":[{"ping":{}}]}');
    client.sendRaw('{"messages":[{"ping":{}}]}');
    await client.take("error");
    expect(client.received("pong")).toEqual([]);
    expect(client.messages.at(-1)).toMatchObject({ replyTo: 0, body: { value: { code: "RATE_LIMIT_EXCEEDED" } } });
  });
});

describe("frames without messages", () => {
  it.each(["proto", "json"] as const)(
    "given a flood of empty %s frames, when it comes, then it is limited like one of messages",
    async (encoding) => {
      server = await ServerProcess.start();
      const client = await ProtocolClient.connect(server, { encoding });
      for (let n = 0; n < 300; n += 1) client.sendRaw(encoding === "json" ? "{}" : new Uint8Array());
      expect((await client.closed).code).toBe(4029);
      expect(client.received("error").length).toBeLessThan(200);
    },
  );
});

describe("the quotas of a tenant", () => {
  it("given 5 publications a second, when two users publish more, then the excess is told to its publisher, other tenants feel nothing, and nobody is closed", async () => {
    server = await ServerProcess.start({ TENANT_PUBLICATIONS_PER_SEC: "5", RATE_LIMIT_REQUESTS: "100000" });
    await using one = await ProtocolClient.connect(server, { user: "one" });
    await using two = await ProtocolClient.connect(server, { user: "two" });
    await using other = await ProtocolClient.connect(server, { tenant: "globex" });
    await other.subscribe("quota");
    const first = await outcomes(one, ...times(4, publishOf("quota", "1")));
    const second = await outcomes(two, ...times(4, publishOf("quota", "1")));
    expect(first).toEqual(times(4, "published"));
    expect(second[0]).toBe("published");
    expect(second.at(-1)).toBe("RATE_LIMIT_EXCEEDED");
    for (let n = 0; n < 8; n += 1) await outcomes(two, ...times(3, publishOf("quota", "1")));
    const error = two.received("error").at(-1);
    expect(error?.retryAfterMs).toBeGreaterThan(0);
    expect(await outcomes(two, PING)).toEqual(["pong"]);
    expect(await outcomes(other, ...times(5, publishOf("quota", "1")))).toEqual(times(5, "published"));
    await delay(error?.retryAfterMs ?? 0);
    expect(await outcomes(two, publishOf("quota", "1"))).toEqual(["published"]);
  });

  it("given 100 kB a second, when a tenant publishes more, then the excess is told with retry_after_ms and small ones pass later", async () => {
    server = await ServerProcess.start({ TENANT_BYTES_PER_SEC: "100000", RATE_LIMIT_REQUESTS: "100000" });
    await using client = await ProtocolClient.connect(server);
    const big = publishOf("bytes", JSON.stringify("x".repeat(50_000)));
    const results: (string | undefined)[] = [];
    for (let n = 0; n < 4; n += 1) results.push(...(await outcomes(client, big)));
    expect(results[0]).toBe("published");
    expect(results.at(-1)).toBe("RATE_LIMIT_EXCEEDED");
    const retryAfterMs = client.received("error").at(-1)?.retryAfterMs ?? 0;
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThan(2_000);
    await delay(retryAfterMs);
    expect(await outcomes(client, big)).toEqual(["published"]);
  });

  it("given a tenant whose keys take half of its memory, when it publishes with another key, then that has to wait, and nothing else does", async () => {
    server = await ServerProcess.start({ TENANT_LOG_BYTES: "16KiB", RATE_LIMIT_REQUESTS: "100000" });
    await using client = await ProtocolClient.connect(server);
    await using other = await ProtocolClient.connect(server, { tenant: "globex" });
    const keyed = (n: number): Command => ({ case: "publish", value: { channel: "keys", idempotencyKey: `k-${n}` } });
    const results = await outcomes(client, ...Array.from({ length: 60 }, (_, n) => keyed(n)));
    expect([results[0], results.at(-1)]).toEqual(["published", "RATE_LIMIT_EXCEEDED"]);
    const waiting = { code: "RATE_LIMIT_EXCEEDED", field: "idempotency_key", retryable: true, retryAfterMs: 10_000 };
    expect(await client.refusal(keyed(60))).toMatchObject(waiting);
    expect(await client.expect("published", keyed(0))).toMatchObject({ duplicate: true });
    expect(await client.expect("published", publishOf("keys", "1"))).toMatchObject({ duplicate: false });
    expect(await other.expect("published", keyed(60))).toMatchObject({ duplicate: false });
  });
});
