import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { outcomes, times } from "./support/outcomes.ts";
import { type Command, ProtocolClient } from "./support/protocol-client.ts";
import { ServerProcess } from "./support/server-process.ts";
import { expectUnharmed } from "./support/unharmed.ts";

const PING: Command = { case: "ping", value: {} };

let server: ServerProcess;

afterEach(async () => {
  await expectUnharmed(server);
  await server[Symbol.asyncDispose]();
});

const subscribe = (channel: string): Command => ({ case: "subscribe", value: { channel } });
const unsubscribe = (channel: string): Command => ({ case: "unsubscribe", value: { channel } });
const many = (count: number): Command[] => Array.from({ length: count }, (_, n) => subscribe(`n:${n}`));

describe("the rate of subscriptions", () => {
  it("given 2 subscriptions, when more than 4 Subscribe and Unsubscribe come at once, then the excess is limited apart from messages", async () => {
    const rate = { RATE_LIMIT_REQUESTS: "3", RATE_LIMIT_WINDOW_SECS: "3600" };
    server = await ServerProcess.start({ MAX_SUBSCRIPTIONS: "2", ...rate });
    await using client = await ProtocolClient.connect(server);
    const commands = [
      subscribe("a"),
      unsubscribe("a"),
      subscribe("a"),
      unsubscribe("a"),
      subscribe("a"),
      subscribe("a"),
    ];
    expect(await outcomes(client, ...commands)).toEqual([
      "subscribed",
      "unsubscribed",
      "subscribed",
      "unsubscribed",
      ...times(2, "RATE_LIMIT_EXCEEDED"),
    ]);
    // 20 a second, from the next whole tick of the clock on, in whole milliseconds: they came at the same time.
    expect(client.received("error")[0]?.retryAfterMs).toBeLessThanOrEqual(51);
    expect(await outcomes(client, ...times(4, PING))).toEqual([...times(3, "pong"), "RATE_LIMIT_EXCEEDED"]);
    await delay(110);
    expect(await outcomes(client, subscribe("a"), unsubscribe("a"))).toEqual(["subscribed", "unsubscribed"]);
  });

  it("given the default limits, when a client comes back and subscribes 128 channels in a frame, twice, then it is no violation", async () => {
    server = await ServerProcess.start();
    await using client = await ProtocolClient.connect(server);
    for (let round = 0; round < 2; round += 1)
      expect(await outcomes(client, ...many(128))).toEqual(times(128, "subscribed"));
  });

  it("given a flood of subscriptions, when it goes on for five frames, then it is 4029", async () => {
    server = await ServerProcess.start({ MAX_SUBSCRIPTIONS: "1" });
    const client = await ProtocolClient.connect(server);
    for (let n = 0; n < 60; n += 1) client.send(...times(200, subscribe("flood")));
    expect((await client.closed).code).toBe(4029);
  });
});

describe("the number of subscriptions", () => {
  it("given 128 subscriptions, when a 129th comes, then it is LIMIT_EXCEEDED, tenant does not count, and a place left is given", async () => {
    server = await ServerProcess.start();
    await using client = await ProtocolClient.connect(server);
    expect(await outcomes(client, ...many(128))).toEqual(times(128, "subscribed"));
    const error = await client.refusal(subscribe("n:128"));
    expect(error).toMatchObject({ code: "LIMIT_EXCEEDED", message: "A limit is reached.", retryable: false });
    expect(await outcomes(client, subscribe("n:5"), subscribe("tenant"))).toEqual(times(2, "subscribed"));
    await client.expect("unsubscribed", unsubscribe("n:0"));
    expect(await outcomes(client, subscribe("n:128"), subscribe("n:0"))).toEqual(["subscribed", "LIMIT_EXCEEDED"]);
  });

  it("given more in one frame than a connection may have, when they come, then exactly so many are made", async () => {
    server = await ServerProcess.start({ MAX_SUBSCRIPTIONS: "10" });
    await using client = await ProtocolClient.connect(server);
    expect(await outcomes(client, ...many(18))).toEqual([...times(10, "subscribed"), ...times(8, "LIMIT_EXCEEDED")]);
  });
});
