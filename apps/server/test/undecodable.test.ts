import type { Encoding } from "@pm/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ProtocolClient } from "./support/protocol-client.ts";
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

const encodingOf = (data: string | Uint8Array): Encoding => (typeof data === "string" ? "json" : "proto");
const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(" ", ""), "hex");
const repeated = (unit: Uint8Array, times: number): Uint8Array =>
  Buffer.concat(Array.from({ length: times }, () => unit));

const UNDECODABLE: [name: string, data: string | Uint8Array][] = [
  ["tens of thousands of empty messages in binary", repeated(hex("0a 00"), 32_000)],
  ["257 messages in binary", repeated(hex("0a 04 08 01 3a 00"), 257)],
  ["more than 4096 fields in one message", Buffer.concat([hex("0a 84 40"), repeated(hex("08 01"), 4_098)])],
  ["more than 4096 unknown fields in binary", repeated(hex("a0 06 01"), 4_097)],
  ["a length beyond the end", hex("0a 7f 08 01")],
  ["half a varint", hex("0a 02 08 ff")],
  ["a varint of eleven bytes", hex("0a 0c 08 ff ff ff ff ff ff ff ff ff ff 01")],
  ["a group", hex("0a 04 08 01 0b 0c")],
  ["groups within groups", repeated(hex("0b"), 20_000)],
  ["a known field of another wire type", hex("08 01")],
  ["bad UTF-8 in a channel", hex("0a 08 08 01 12 04 0a 02 c0 af")],
  ["the field number 0", hex("00 01")],
  ["text that is no JSON", "hello"],
  ["a list", "[]"],
  ["null", "null"],
  ["a number", "1"],
  ["messages that are no list", '{"messages":{}}'],
  ["null as a message", '{"messages":[null]}'],
  ["a message that is text", '{"messages":["ping"]}'],
  ["two bodies", '{"messages":[{"id":1,"ping":{},"hello":{}}]}'],
  ["an id that is negative", '{"messages":[{"id":-1,"ping":{}}]}'],
  ["an id that is not whole", '{"messages":[{"id":1.5,"ping":{}}]}'],
  ["half a surrogate pair", '{"messages":[{"id":1,"subscribe":{"channel":"\\ud800"}}]}'],
  ["base64 that is none", '{"messages":[{"id":1,"publish":{"channel":"c","payload":{"data":"?"}}}]}'],
  ["tens of thousands of empty messages in JSON", `{"messages":[${"{},".repeat(20_000)}{}]}`],
  ["257 messages in JSON", `{"messages":[${'{"ping":{}},'.repeat(256)}{"ping":{}}]}`],
  ["nested lists", "[".repeat(60_000)],
  ["nested unknown keys", `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`],
  ["nine levels", `{"messages":[{"id":1,"ping":{"x":${"[".repeat(6)}${"]".repeat(6)}}}]}`],
  ["8193 commas", `{"x":[${"1,".repeat(8_193)}1]}`],
  ["unclosed text", '{"messages":[{"id":1,"x":"'],
];

describe("what cannot be decoded", () => {
  it.each(UNDECODABLE)("given %s, when it comes, then it is DECODE_ERROR and 4500", async (_name, data) => {
    const client = await ProtocolClient.connect(server, { encoding: encodingOf(data) });
    client.sendRaw(data);
    const error = await client.take("error");
    expect(error).toMatchObject({ code: "DECODE_ERROR", message: "The frame cannot be decoded.", retryable: false });
    expect(error.errorId).not.toBe("");
    expect((await client.closed).code).toBe(4500);
  });

  it("given a hundred connections that each send the worst frame, when all are refused, then a healthy client is served meanwhile", async () => {
    await using healthy = await ProtocolClient.connect(server, { tenant: "healthy" });
    const worst = [repeated(hex("0a 00"), 32_000), "[".repeat(65_000), `{"messages":[${"{},".repeat(20_000)}{}]}`];
    const attacks = Array.from({ length: 99 }, async (_, n) => {
      const data = worst[n % worst.length] ?? "";
      const client = await ProtocolClient.connect(server, { tenant: "hostile", encoding: encodingOf(data) });
      client.sendRaw(data);
      return (await client.closed).code;
    });
    for (let n = 0; n < 20; n += 1) await healthy.expect("pong", { case: "ping", value: {} }, 1_000);
    expect(new Set(await Promise.all(attacks))).toEqual(new Set([4500]));
  });
});

describe("what is decodable and means nothing", () => {
  const empty: [name: string, data: string | Uint8Array][] = [
    ["an empty binary message", new Uint8Array()],
    ["a binary frame of unknown fields alone", hex("a0 06 01")],
    ["an empty text message", ""],
    ["an empty object", "{}"],
    ["an empty list", '{"messages":[]}'],
    ["null for the list", '{"messages":null}'],
    ["unknown keys alone", '{"message":[{"id":1,"ping":{}}]}'],
  ];

  it.each(empty)(
    "given %s, when it comes, then it is answered INVALID_MESSAGE and the connection stays",
    async (_name, data) => {
      await using client = await ProtocolClient.connect(server, { encoding: encodingOf(data) });
      client.sendRaw(data);
      const error = await client.take("error");
      expect(error).toMatchObject({ code: "INVALID_MESSAGE", message: "The message is not valid.", retryable: false });
      await client.expect("pong", { case: "ping", value: {} });
      expect(client.messages.filter(({ body }) => body.case === "error").map(({ replyTo }) => replyTo)).toEqual([0]);
    },
  );

  const bodiless: [name: string, data: string | Uint8Array, replyTo: number][] = [
    ["a message with nothing in binary", hex("0a 00"), 0],
    ["a message with an id alone in binary", hex("0a 02 08 63"), 99],
    ["the kept body 8 in binary", hex("0a 04 08 63 42 00"), 99],
    ["an unknown body in binary", hex("0a 05 08 63 a2 06 00"), 99],
    ["a message with nothing in JSON", '{"messages":[{}]}', 0],
    ["an unknown body in JSON", '{"messages":[{"id":99,"presence":{}}]}', 99],
    ["null as the body in JSON", '{"messages":[{"id":99,"ping":null}]}', 99],
  ];

  it.each(bodiless)(
    "given %s, when it comes, then it is INVALID_MESSAGE with the field body, and the connection stays",
    async (_name, data, replyTo) => {
      await using client = await ProtocolClient.connect(server, { encoding: encodingOf(data) });
      client.sendRaw(data);
      expect(await client.reply(replyTo)).toMatchObject({
        case: "error",
        value: { code: "INVALID_MESSAGE", field: "body" },
      });
      await client.expect("pong", { case: "ping", value: {} });
    },
  );

  it("given one bad message among good ones in a frame, when it comes, then each is answered alone", async () => {
    await using client = await ProtocolClient.connect(server, { encoding: "json" });
    client.sendRaw(
      '{"messages":[{"id":91,"ping":{}},{"id":92},{"id":93,"subscribe":{"channel":"a b"}},{"id":94,"ping":{}}]}',
    );
    const replies = await Promise.all([91, 92, 93, 94].map((id) => client.reply(id)));
    expect(replies.map((body) => (body.case === "error" ? body.value.field : body.case))).toEqual([
      "pong",
      "body",
      "channel",
      "pong",
    ]);
  });

  it("given 256 messages in a frame, when it comes, then all are answered", async () => {
    await using client = await ProtocolClient.connect(server);
    const ids = client.send(...Array.from({ length: 256 }, () => ({ case: "ping", value: {} }) as const));
    const replies = await Promise.all(ids.map((id) => client.reply(id)));
    expect(replies.every(({ case: kind }) => kind === "pong")).toBe(true);
  });
});

describe("what is unknown", () => {
  const ignored: [name: string, data: string | Uint8Array][] = [
    [
      "unknown fields of every wire type in binary",
      hex("0a 1d 08 63 3a 00  a0 06 01  a1 06 0102030405060708  a2 06 03 616263  a5 06 01020304 a0 06 01"),
    ],
    ["unknown fields of the frame in binary", hex("a2 06 03 616263 0a 04 08 63 3a 00")],
    ["a body twice in binary", hex("0a 0a 08 63 12 04 0a 02 61 20 3a 00")],
    ["unknown keys on all levels", '{"x":[1],"messages":[{"id":99,"y":{"z":[]},"ping":{"w":null}}]}'],
    ["__proto__ in the message", '{"messages":[{"id":99,"__proto__":{"polluted":true},"ping":{"__proto__":{"x":1}}}]}'],
    ["__proto__ in the frame", '{"__proto__":{"polluted":true},"messages":[{"id":99,"ping":{}}]}'],
    [
      "constructor and prototype",
      '{"constructor":{"prototype":{"x":1}},"messages":[{"id":99,"constructor":1,"toString":2,"ping":{}}]}',
    ],
    ["commas and colons in strings", `{"x":"${",:".repeat(9_000)}","messages":[{"id":99,"ping":{}}]}`],
    ["the names of the tables", '{"messages":[{"id":99,"ping":{},"reply_to":1}]}'],
  ];

  it.each(ignored)("given %s, when it comes, then it is ignored and the command carried out", async (_name, data) => {
    await using client = await ProtocolClient.connect(server, { encoding: encodingOf(data) });
    client.sendRaw(data);
    expect((await client.reply(99)).case).toBe("pong");
  });

  it("given __proto__ that holds a whole frame or a body, when it comes, then it is as if it were not there", async () => {
    await using client = await ProtocolClient.connect(server, { encoding: "json" });
    client.sendRaw('{"__proto__":{"messages":[{"id":98,"ping":{}}]}}');
    client.sendRaw('{"messages":[{"id":99,"__proto__":{"ping":{}}}]}');
    expect((await client.reply(99)).case).toBe("error");
    expect(client.messages.some(({ replyTo }) => replyTo === 98)).toBe(false);
    expect(client.received("pong")).toEqual([]);
  });

  it("given ProtoJSON in its other forms, when it comes, then it is taken", async () => {
    await using client = await ProtocolClient.connect(server, { encoding: "json" });
    client.sendRaw(
      '{"messages":[{"id":91,"subscribe":{"channel":"forms"}},{"id":92,"publish":{"channel":"forms","idempotency_key":"k","trace_parent":"t","payload":{"data":"_-8"}}}]}',
    );
    expect((await client.reply(92)).case).toBe("published");
    const publication = await client.take("publication");
    expect(Buffer.from(publication.payload?.kind.value as Uint8Array).toString("hex")).toBe("ffef");
    expect(publication.traceParent).toBe("t");
    client.sendRaw(`{"messages":[{"id":93,"read_history":{"channel":"forms","since":{"epoch":"x","offset":0}}}]}`);
    expect((await client.reply(93)).case).toBe("historyPage");
  });
});
