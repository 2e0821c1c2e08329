import { ManualClock, RecordingLogger } from "@pm/core/testing";
import { CloseCode } from "@pm/proto";
import { expect, test } from "vitest";
import { MessageClient, type MessageToSend, outline } from "../../test/support/message-client.ts";
import { nameAuthenticator } from "../../test/support/name-authenticator.ts";
import { SimulatedServer } from "../../test/support/simulated-server.ts";
import type { Authenticator } from "../authenticator.ts";
import { WsError } from "../ws-error.ts";

function refresh(id: number, token: string): MessageToSend {
  return { id, body: { case: "refreshToken", value: { token } } };
}

function subscribe(id: number, channel: string): MessageToSend {
  return { id, body: { case: "subscribe", value: { channel } } };
}

/** Tokens end a minute after they were verified; `old` has expired, and `broken` is none. */
function expiring(clock: ManualClock): Authenticator {
  return {
    authenticate: async (token) => {
      if (token === "old") throw new WsError("TOKEN_EXPIRED", "expired a while ago");
      if (token === "broken") throw new WsError("INVALID_TOKEN", "not a token", { field: "iss" });
      return { ...(await nameAuthenticator.authenticate(token)), expiresAtMs: clock.now() + 60_000.75 };
    },
  };
}

test("given a token of the same user, when it is put in force, then its expiry is told, and it is that of the connection", async () => {
  const clock = new ManualClock();
  await using simulation = new SimulatedServer({ clock, authenticator: expiring(clock) });
  using client = await MessageClient.open(simulation);
  clock.advance(30_000);
  const [answer] = await client.exchange(refresh(1, "t1.u1"));
  const serverTimeMs = BigInt(clock.now());
  expect(answer?.body).toMatchObject({
    case: "tokenRefreshed",
    value: { tokenExpiresAtMs: serverTimeMs + 60_000n, serverTimeMs },
  });
  const [connection] = simulation.server.connections.find();
  expect(connection?.context.expiresAtMs).toBe(clock.now() + 60_000.75);
});

test("given a token that allows less, when it is put in force, then the channels it lost end behind the answer", async () => {
  await using simulation = new SimulatedServer();
  using client = await MessageClient.open(simulation);
  await client.exchange(subscribe(1, "a"), subscribe(2, "b"), subscribe(3, "user"));
  client.messages.length = 0;
  await client.exchange(refresh(4, "t1.u1.publish"));
  expect(outline(client.messages)).toEqual(["4 tokenRefreshed", "0 unsubscribed", "0 unsubscribed"]);
  expect(client.messages.slice(1).map(({ body }) => body.value)).toMatchObject([
    { channel: "a", code: "PERMISSION_DENIED" },
    { channel: "b", code: "PERMISSION_DENIED" },
  ]);
  const publish = { id: 5, body: { case: "publish" as const, value: { channel: "a" } } };
  expect(outline(await client.exchange(publish, subscribe(6, "a"))).toSorted()).toEqual([
    "5 published",
    "6 error PERMISSION_DENIED",
  ]);
});

test.each([
  ["old", "TOKEN_EXPIRED"],
  ["broken", "INVALID_TOKEN"],
])(
  "given a token that is %s, when it is refused, then with %s and no field, and the one before stays in force",
  async (token, code) => {
    const clock = new ManualClock();
    const logger = new RecordingLogger();
    await using simulation = new SimulatedServer({ clock, logger, authenticator: expiring(clock) });
    using client = await MessageClient.open(simulation);
    const [connection] = simulation.server.connections.find();
    const before = connection?.context;
    const answers = await client.exchange(refresh(1, token));
    expect(outline(answers)).toEqual([`1 error ${code}`]);
    expect(answers[0]?.body).toMatchObject({ value: { field: "" } });
    expect(connection?.context).toBe(before);
    expect(logger.lines.map(({ event }) => event)).toContain("token_refused");
    expect(outline(await client.exchange(subscribe(2, "a")))).toEqual(["2 subscribed"]);
  },
);

test.each([
  ["another user", "t1.u2"],
  ["another tenant", "t2.u1"],
])(
  "given a token of %s, when it comes, then the connection ends with 4501, unanswered, as who it was",
  async (_, token) => {
    const logger = new RecordingLogger();
    await using simulation = new SimulatedServer({ logger });
    using client = await MessageClient.open(simulation);
    const [connection] = simulation.server.connections.find();
    client.send(refresh(1, token), { id: 2, body: { case: "publish", value: { channel: "a" } } });
    await client.until(() => client.closeCode !== undefined);
    expect(client.closeCode).toBe(CloseCode.INVALID_TOKEN);
    expect(outline(client.messages).filter((text) => text.startsWith("1 "))).toEqual([]);
    expect(connection?.context).toMatchObject({ tenant: "t1", user: "u1" });
    expect(logger.lines).toContainEqual(expect.objectContaining({ level: "warn", event: "token_identity_changed" }));
  },
);

test("given a token that takes longer than the one after it, when both are verified, then the last that was sent counts", async () => {
  let verify: () => void = () => undefined;
  await using simulation = new SimulatedServer({
    authenticator: {
      authenticate: async (token) => {
        if (token.endsWith(".slow")) await new Promise<void>((resolve) => (verify = resolve));
        return nameAuthenticator.authenticate(token.replace(".slow", ""));
      },
    },
  });
  using client = await MessageClient.open(simulation);
  client.send(refresh(1, "t1.u1.nothing.slow"), refresh(2, "t1.u1"));
  await simulation.pass(20);
  expect(client.messages).toEqual([]);
  verify();
  await client.until(() => client.messages.length === 2);
  expect(outline(client.messages)).toEqual(["1 tokenRefreshed", "2 tokenRefreshed"]);
  expect(outline(await client.exchange(subscribe(3, "a")))).toEqual(["3 subscribed"]);
});

test.each([undefined, Number.NaN, Number.POSITIVE_INFINITY])(
  "given an authenticator that gives %s as expiry, when a token is refreshed, then that fails, and the old one stays",
  async (expiresAtMs) => {
    const authenticate: Authenticator["authenticate"] = async (token) => {
      const context = await nameAuthenticator.authenticate("t1.u1");
      return token === "bad" ? { ...context, expiresAtMs: expiresAtMs as number } : context;
    };
    await using simulation = new SimulatedServer({ authenticator: { authenticate } });
    using client = await MessageClient.open(simulation);
    const [connection] = simulation.server.connections.find();
    const before = connection?.context;
    expect(outline(await client.exchange(refresh(1, "bad")))).toEqual(["1 error INTERNAL_ERROR"]);
    expect(connection?.context).toBe(before);
  },
);
