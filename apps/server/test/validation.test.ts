import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Command, ProtocolClient, publishOf } from "./support/protocol-client.ts";
import { ServerProcess } from "./support/server-process.ts";
import { expectUnharmed } from "./support/unharmed.ts";

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start({ RATE_LIMIT_REQUESTS: "100000" });
});

afterAll(async () => {
  await expectUnharmed(server);
  await server[Symbol.asyncDispose]();
});

const BAD_CHANNELS = [
  "",
  "a".repeat(201),
  "a b",
  "a*",
  "a{b}",
  "a\u0000",
  "a\n",
  "é",
  "ａ",
  "a\u202eb",
  "a?b",
  "a#b",
  "a%20",
  "a\\b",
  "a[0]",
  "\u{1f600}",
];

describe("channel names", () => {
  it.each(["subscribe", "unsubscribe", "publish", "readHistory"] as const)(
    "given names outside of the grammar, when they are used in %s, then it is INVALID_MESSAGE with the field channel",
    async (kind) => {
      await using client = await ProtocolClient.connect(server);
      for (const channel of BAD_CHANNELS) {
        const error = await client.refusal({ case: kind, value: { channel } });
        expect([channel, error.code, error.field]).toEqual([channel, "INVALID_MESSAGE", "channel"]);
      }
    },
  );

  it("given names at the edges of the grammar, when they are used, then they are taken as they are", async () => {
    await using client = await ProtocolClient.connect(server);
    for (const channel of ["a".repeat(200), "AZaz09_-=@,.;:/+", "..", "/", ":", "a::b", "__proto__", "constructor"]) {
      expect((await client.subscribe(channel)).channel).toBe(channel);
      await client.publish(channel, "1");
      expect((await client.take("publication")).channel).toBe(channel);
    }
  });
});

describe("lengths and numbers", () => {
  const good = { epoch: "x", offset: 0n, check: 1 };
  const bad: [name: string, field: string, command: Command][] = [
    ["an event of 65 bytes", "event", { case: "publish", value: { channel: "c", event: "e".repeat(65) } }],
    [
      "an event of 33 characters and 66 bytes",
      "event",
      { case: "publish", value: { channel: "c", event: "é".repeat(33) } },
    ],
    [
      "an idempotency key of 65 bytes",
      "idempotency_key",
      { case: "publish", value: { channel: "c", idempotencyKey: "k".repeat(65) } },
    ],
    [
      "a trace parent of 129 bytes",
      "trace_parent",
      { case: "publish", value: { channel: "c", traceParent: "t".repeat(129) } },
    ],
    ["rewind above max_history", "rewind", { case: "subscribe", value: { channel: "c", rewind: 1_001 } }],
    ["the greatest rewind", "rewind", { case: "subscribe", value: { channel: "c", rewind: 4_294_967_295 } }],
    ["since together with rewind", "rewind", { case: "subscribe", value: { channel: "c", since: good, rewind: 1 } }],
    ["a limit above max_history", "limit", { case: "readHistory", value: { channel: "c", limit: 1_001 } }],
    [
      "an epoch of 65 bytes",
      "since",
      { case: "subscribe", value: { channel: "c", since: { ...good, epoch: "e".repeat(65) } } },
    ],
    [
      "an offset of 2^53",
      "since",
      { case: "subscribe", value: { channel: "c", since: { ...good, offset: 2n ** 53n } } },
    ],
    [
      "the greatest offset in history",
      "since",
      { case: "readHistory", value: { channel: "c", since: { ...good, offset: 2n ** 64n - 1n } } },
    ],
    ["a session id of 65 bytes", "session_id", { case: "hello", value: { sessionId: "s".repeat(65) } }],
    ["an sdk of 129 bytes", "sdk", { case: "hello", value: { sdk: "s".repeat(129) } }],
    ["33 features", "features", { case: "hello", value: { features: Array.from({ length: 33 }, (_, n) => `f${n}`) } }],
    ["a feature of 65 bytes", "features", { case: "hello", value: { features: ["f".repeat(65)] } }],
  ];

  it.each(bad)(
    "given %s, when it comes, then it is INVALID_MESSAGE with the field %s, and the connection stays",
    async (_name, field, command) => {
      await using client = await ProtocolClient.connect(server, { encoding: "json" });
      const error = await client.refusal(command);
      expect([error.code, error.retryable]).toEqual(["INVALID_MESSAGE", false]);
      expect(error.field.split(".")[0]).toBe(field);
      await client.expect("pong", { case: "ping", value: {} });
    },
  );

  const fine: [name: string, reply: string, command: Command][] = [
    ["an event of 64 bytes", "published", { case: "publish", value: { channel: "c", event: "é".repeat(32) } }],
    [
      "an idempotency key of 64 bytes",
      "published",
      { case: "publish", value: { channel: "c", idempotencyKey: "k".repeat(64) } },
    ],
    [
      "a trace parent of 128 bytes",
      "published",
      { case: "publish", value: { channel: "c", traceParent: "t".repeat(128) } },
    ],
    ["rewind of max_history", "subscribed", { case: "subscribe", value: { channel: "c", rewind: 1_000 } }],
    ["a limit of max_history", "historyPage", { case: "readHistory", value: { channel: "c", limit: 1_000 } }],
    [
      "an offset below 2^53",
      "subscribed",
      { case: "subscribe", value: { channel: "c", since: { ...good, offset: 2n ** 53n - 1n } } },
    ],
    [
      "an epoch of 64 bytes",
      "subscribed",
      { case: "subscribe", value: { channel: "c", since: { ...good, epoch: "e".repeat(64) } } },
    ],
    [
      "Hello at its limits",
      "pong",
      {
        case: "hello",
        value: {
          sessionId: "s".repeat(64),
          sdk: "s".repeat(128),
          features: Array.from({ length: 32 }, () => "f".repeat(64)),
        },
      },
    ],
    ["an empty Hello", "pong", { case: "hello", value: {} }],
  ];

  it.each(fine)("given %s, when it comes, then it is answered by %s", async (_name, reply, command) => {
    await using client = await ProtocolClient.connect(server);
    expect((await client.request(command)).case).toBe(reply);
  });

  it("given since with rewind 0, when it comes, then it is a since alone", async () => {
    await using client = await ProtocolClient.connect(server, { encoding: "json" });
    client.sendRaw('{"messages":[{"id":91,"subscribe":{"channel":"c","rewind":0,"since":{"epoch":"x","check":1}}}]}');
    expect((await client.reply(91)).case).toBe("subscribed");
  });
});

describe("ids", () => {
  it("given id 0, when commands come, then only subscriptions and failures are answered, with reply_to 0", async () => {
    await using client = await ProtocolClient.connect(server, { encoding: "json" });
    const bodies = [
      { subscribe: { channel: "zero" } },
      { publish: { channel: "zero", payload: { json: "1" } } },
      { ping: {} },
      { hello: {} },
      { readHistory: { channel: "zero" } },
      { unsubscribe: { channel: "never" } },
    ];
    for (const body of bodies) client.sendRaw(JSON.stringify({ messages: [body] }));
    await client.take("publication");
    client.sendRaw('{"messages":[{"unsubscribe":{"channel":"zero"}}]}');
    await client.take("unsubscribed");
    await client.expect("pong", { case: "ping", value: {} });
    const kinds = client.messages.slice(2, -1).map(({ replyTo, body }) => `${replyTo} ${body.case}`);
    expect(kinds.toSorted()).toEqual(["0 error", "0 publication", "0 subscribed", "0 unsubscribed"]);
  });

  it("given the greatest id, when it comes, then it is echoed", async () => {
    await using client = await ProtocolClient.connect(server, { encoding: "json" });
    client.sendRaw('{"messages":[{"id":4294967295,"ping":{}}]}');
    expect((await client.reply(4_294_967_295)).case).toBe("pong");
  });

  it("given a failed Subscribe on a subscribed channel, when something is published, then it is delivered as before", async () => {
    await using client = await ProtocolClient.connect(server);
    await client.subscribe("as-before");
    await client.refusal({ case: "subscribe", value: { channel: "as-before", rewind: 1_001 } });
    await client.expect("published", publishOf("as-before", "1"));
    expect((await client.take("publication")).offset).toBe(1n);
  });
});
