import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Command, jsonOf, ProtocolClient } from "./support/protocol-client.ts";
import { ServerProcess } from "./support/server-process.ts";
import { claimsFor, nowSecs, sign, tokenFor } from "./support/token.ts";
import { expectUnharmed } from "./support/unharmed.ts";

/** What a token has to have expired by for the server to close its connection. */
const GRACE_MS = 30_000;

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start({ RATE_LIMIT_REQUESTS: "1000" });
});

afterAll(async () => {
  await expectUnharmed(server);
  await server[Symbol.asyncDispose]();
});

const refreshTo = (token: string): Command => ({ case: "refreshToken", value: { token } });

/** Expects a close with 4401, when the grace after the expiry has passed. */
async function expectExpiry(client: ProtocolClient, expirySecs: number): Promise<void> {
  const { code } = await client.closed;
  const lateMs = Date.now() - expirySecs * 1_000 - GRACE_MS;
  expect(code).toBe(4401);
  expect(lateMs).toBeGreaterThan(-50);
  expect(lateMs).toBeLessThan(3_000);
}

describe.concurrent("a token that expires while connected", () => {
  it("given a token of a second, when it and the grace have passed, then the connection is closed with 4401", async () => {
    const exp = nowSecs() + 1;
    const client = await ProtocolClient.connect(server, { token: await sign({ ...claimsFor(), exp }) });
    expect(client.welcome.tokenExpiresAtMs).toBe(BigInt(exp * 1_000));
    await expectExpiry(client, exp);
    expect(client.received("error").map(({ code }) => code)).toEqual(expect.not.arrayContaining(["INVALID_TOKEN"]));
  }, 40_000);

  it("given a token in its grace, when it is refreshed, then nothing is interrupted when the grace ends", async () => {
    const exp = nowSecs() - 26;
    const token = await sign({ ...claimsFor(), exp });
    await using refreshed = await ProtocolClient.connect(server, { token });
    const left = await ProtocolClient.connect(server, { token });
    await refreshed.subscribe("refreshed");
    const later = nowSecs() + 600;
    const answer = await refreshed.expect("tokenRefreshed", refreshTo(await sign({ ...claimsFor(), exp: later })));
    expect(answer.tokenExpiresAtMs).toBe(BigInt(later * 1_000));
    expect(Math.abs(Number(answer.serverTimeMs) - Date.now())).toBeLessThan(5_000);
    await expectExpiry(left, exp);
    await refreshed.publish("refreshed", "1");
    expect(jsonOf(await refreshed.take("publication"))).toBe("1");
    expect(refreshed.received("subscribed")).toHaveLength(2);
  }, 20_000);

  it("given a token in its grace, when a refresh is refused, then the old expiry stands", async () => {
    const exp = nowSecs() - 27;
    const client = await ProtocolClient.connect(server, { token: await sign({ ...claimsFor(), exp }) });
    expect(await client.refusal(refreshTo("a.b.c"))).toMatchObject({ code: "INVALID_TOKEN", field: "" });
    expect(await client.refusal(refreshTo(await tokenFor({ expiresInSecs: -60 })))).toMatchObject({
      code: "TOKEN_EXPIRED",
    });
    await client.publish("still-allowed", "1");
    await expectExpiry(client, exp);
  }, 20_000);

  it("given a refresh to a shorter life, when that ends, then the connection is closed then", async () => {
    const exp = nowSecs() - 27;
    const client = await ProtocolClient.connect(server, { expiresInSecs: 3_600 });
    await client.expect("tokenRefreshed", refreshTo(await sign({ ...claimsFor(), exp })));
    await expectExpiry(client, exp);
  }, 20_000);
});

describe("a refresh", () => {
  it.each([
    ["another user", { user: "u-2" }],
    ["another tenant", { tenant: "globex" }],
    ["the same tenant in another case", { tenant: "Acme" }],
  ])(
    "given a good token of %s, when a connection is refreshed to it, then it is closed with 4501",
    async (_name, subject) => {
      const client = await ProtocolClient.connect(server, { tenant: "acme", user: "u-1" });
      client.send(refreshTo(await tokenFor(subject)));
      expect((await client.closed).code).toBe(4501);
      expect(client.received("tokenRefreshed")).toEqual([]);
    },
  );

  it("given bad tokens, when a connection is refreshed to them, then each is refused and the connection goes on", async () => {
    await using client = await ProtocolClient.connect(server);
    const bad = [
      "",
      "x",
      "a.b.c",
      `${await tokenFor()}x`,
      await sign(claimsFor(), "another secret, long enough: 012345678"),
    ];
    for (const token of bad) expect((await client.refusal(refreshTo(token))).code).toMatch(/^INVALID_(TOKEN|MESSAGE)$/);
    expect((await client.refusal(refreshTo("x".repeat(8_193)))).code).toMatch(/^INVALID_(TOKEN|MESSAGE)$/);
    await client.publish("goes-on", "1");
  });

  it("given a refused refresh, when its error id is looked up, then one line of the log says why, without the token", async () => {
    await using client = await ProtocolClient.connect(server, { user: "logged" });
    const token = await sign({ ...claimsFor({ user: "logged" }), tenant_id: "not a tenant" });
    const { errorId, message } = await client.refusal(refreshTo(token));
    expect(message).toBe("The token is not valid.");
    await expect.poll(() => server.linesOf(errorId)).toHaveLength(1);
    for (const part of token.split(".")) expect(server.stdout).not.toContain(part);
  });

  it("given a subscription that the new token does not allow, when it is refreshed, then that one is ended and the others go on", async () => {
    const all = ["subscribe", "publish", "history"] as const;
    await using client = await ProtocolClient.connect(server, {
      channels: [
        { pattern: "keep:*", allow: all },
        { pattern: "lose:*", allow: all },
      ],
    });
    await using publisher = await ProtocolClient.connect(server, { user: "publisher" });
    await client.subscribe("keep:1");
    await client.subscribe("lose:1");
    await client.subscribe("lose:2");
    await client.expect("tokenRefreshed", refreshTo(await tokenFor({ channels: [{ pattern: "keep:*", allow: all }] })));
    const ended = [await client.take("unsubscribed"), await client.take("unsubscribed")];
    expect(ended.map(({ channel, code }) => `${channel} ${code}`).toSorted()).toEqual([
      "lose:1 PERMISSION_DENIED",
      "lose:2 PERMISSION_DENIED",
    ]);
    await publisher.publish("lose:1", '"lost"');
    await publisher.publish("keep:1", '"kept"');
    expect(jsonOf(await client.take("publication"))).toBe('"kept"');
    for (const channel of ["lose:1", "other"])
      expect(await client.refusal({ case: "subscribe", value: { channel } })).toMatchObject({
        code: "PERMISSION_DENIED",
        field: channel,
      });
    expect((await client.refusal({ case: "unsubscribe", value: { channel: "lose:1" } })).code).toBe("NOT_SUBSCRIBED");
    expect(client.received("unsubscribed").map(({ channel }) => channel)).not.toContain("tenant");
  });

  it.each(["before", "after"])(
    "given a Subscribe %s the refresh in one frame, when the new token does not allow it, then no subscription is left",
    async (order) => {
      const all = ["subscribe", "publish", "history"] as const;
      const less = await tokenFor({ user: "racer", channels: [{ pattern: "keep:*", allow: all }] });
      await using verified = await ProtocolClient.connect(server, { user: "racer", token: less });
      await using publisher = await ProtocolClient.connect(server, { user: "publisher" });
      for (let round = 0; round < 20; round += 1) {
        const channel = `race-${order}:${round}`;
        await using client = await ProtocolClient.connect(server, { user: "racer" });
        const subscribe: Command = { case: "subscribe", value: { channel } };
        const commands = order === "before" ? [subscribe, refreshTo(less)] : [refreshTo(less), subscribe];
        await Promise.all(client.send(...commands).map((id) => client.reply(id)));
        await publisher.publish(channel, '"not yours"');
        await client.expect("pong", { case: "ping", value: {} });
        expect([round, client.received("publication")]).toEqual([round, []]);
      }
      await verified.close();
    },
  );

  it("given a token that allows more, when a connection is refreshed to it, then more is allowed", async () => {
    await using client = await ProtocolClient.connect(server, { channels: [] });
    expect((await client.refusal({ case: "subscribe", value: { channel: "gained" } })).code).toBe("PERMISSION_DENIED");
    await client.expect(
      "tokenRefreshed",
      refreshTo(await tokenFor({ channels: [{ pattern: "gained", allow: ["subscribe"] }] })),
    );
    await client.subscribe("gained");
  });
});
