import { create } from "@bufbuild/protobuf";
import { ClientMessageSchema, type Encoding, encodeClientFrame } from "@pm/proto";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Opcode, type RawFrame, RawWebSocket } from "./support/raw-web-socket.ts";
import { ServerProcess } from "./support/server-process.ts";
import { expectUnharmed } from "./support/unharmed.ts";

const KIB64 = 65_536;

let server: ServerProcess;

beforeAll(async () => {
  // The raw client answers no ping, and is not to be closed for that here.
  server = await ServerProcess.start({ RATE_LIMIT_REQUESTS: "100000", HEARTBEAT_TIMEOUT_SECS: "120" });
});

afterAll(async () => {
  await expectUnharmed(server);
  await server[Symbol.asyncDispose]();
});

/** The code with which the server closes a connection on which these frames come. */
async function codeFor(frames: RawFrame[], encoding: Encoding = "proto"): Promise<number | undefined> {
  using client = await RawWebSocket.connect(server, { encoding });
  client.send(...frames);
  return (await client.closure()).code;
}

function pingFrame(id: number): Buffer {
  return Buffer.from(
    encodeClientFrame([create(ClientMessageSchema, { id, body: { case: "ping", value: {} } })], "proto"),
  );
}

function publishOf(data: Uint8Array): Buffer {
  const payload = { kind: { case: "data", value: data } } as const;
  const body = { case: "publish", value: { channel: "big", payload } } as const;
  return Buffer.from(encodeClientFrame([create(ClientMessageSchema, { id: 1, body })], "proto"));
}

/** A frame with one Publish that has exactly so many bytes. */
function publishFrame(bytes: number): Buffer {
  const overhead = publishOf(new Uint8Array(bytes)).length - bytes;
  const frame = publishOf(new Uint8Array(bytes - overhead));
  expect(frame).toHaveLength(bytes);
  return frame;
}

async function expectAlive(client: RawWebSocket, id: number): Promise<void> {
  client.send({ opcode: Opcode.binary, payload: pingFrame(id) });
  await client.until(() => client.messages.some(({ replyTo }) => replyTo === id), `Pong ${id}`);
}

describe("the size of a frame", () => {
  it("given a frame of exactly 64 KiB, when it comes, then it is carried out", async () => {
    using client = await RawWebSocket.connect(server);
    client.send({ opcode: Opcode.binary, payload: publishFrame(KIB64) });
    await client.until(() => client.messages.some(({ body }) => body.case === "published"), "Published");
  });

  it.each([KIB64 + 1, 10_000_000, 2 ** 40, Number.MAX_SAFE_INTEGER])(
    "given a frame that is said to have %d bytes, when its head has come, then it is 1009",
    async (declaredLength) => {
      expect(await codeFor([{ opcode: Opcode.binary, declaredLength }])).toBe(1009);
    },
  );

  it("given a length with its highest bit set, when it comes, then the connection is closed as a bad frame or as too big", async () => {
    using client = await RawWebSocket.connect(server);
    client.sendBytes(Buffer.concat([Buffer.of(0x82, 0xff), Buffer.alloc(8, 0xff), Buffer.alloc(4)]));
    expect([1002, 1009]).toContain((await client.closure()).code);
  });

  it("given fragments that are more than 64 KiB together, when the last head has come, then it is 1009", async () => {
    const part = Buffer.alloc(30_000);
    const frames: RawFrame[] = [
      { opcode: Opcode.binary, payload: part, fin: false },
      { opcode: Opcode.continuation, payload: part, fin: false },
      { opcode: Opcode.continuation, declaredLength: 30_000, fin: true },
    ];
    expect(await codeFor(frames)).toBe(1009);
  });

  it("given text of more than 64 KiB, when it comes, then it is 1009", async () => {
    expect(await codeFor([{ opcode: Opcode.text, payload: " ".repeat(KIB64 + 1) }], "json")).toBe(1009);
  });
});

/** A message cut into so many fragments. */
function fragments(bytes: Buffer, count: number): RawFrame[] {
  return Array.from({ length: count }, (_, n) => ({
    opcode: n === 0 ? Opcode.binary : Opcode.continuation,
    payload: n === count - 1 ? bytes.subarray(n) : bytes.subarray(n, n + 1),
    fin: n === count - 1,
  }));
}

describe("fragments", () => {
  it("given a message in 64 fragments with a ping between them, when it is whole, then it is carried out", async () => {
    using client = await RawWebSocket.connect(server);
    const frames = fragments(publishFrame(200), 64);
    client.send(...frames.slice(0, 30), { opcode: Opcode.ping, payload: "between" }, ...frames.slice(30));
    await client.until(() => client.messages.some(({ body }) => body.case === "published"), "Published");
    expect(client.count(Opcode.pong)).toBe(1);
  });

  it("given a message in 65 fragments, when the last comes, then it is 1008", async () => {
    expect(await codeFor(fragments(publishFrame(200), 65))).toBe(1008);
  });

  it("given fragments without bytes and without end, when there are thousands, then it is 1008", async () => {
    const frames = Array.from({ length: 5_000 }, (_, n) => ({
      opcode: n === 0 ? Opcode.binary : Opcode.continuation,
      fin: false,
    }));
    expect(await codeFor(frames)).toBe(1008);
  });
});

describe("frames against RFC 6455", () => {
  const bad: [name: string, frames: RawFrame[]][] = [
    ["the first reserved bit", [{ opcode: Opcode.binary, rsv: 4, payload: "x" }]],
    ["the second reserved bit", [{ opcode: Opcode.binary, rsv: 2, payload: "x" }]],
    ["the third reserved bit", [{ opcode: Opcode.binary, rsv: 1, payload: "x" }]],
    ["the reserved opcode 3", [{ opcode: 3, payload: "x" }]],
    ["the reserved opcode 15", [{ opcode: 15, payload: "x" }]],
    ["no mask", [{ opcode: Opcode.binary, payload: "x", masked: false }]],
    ["a ping without a mask", [{ opcode: Opcode.ping, masked: false }]],
    ["a continuation of nothing", [{ opcode: Opcode.continuation, payload: "x" }]],
    [
      "a message within another",
      [
        { opcode: Opcode.binary, fin: false },
        { opcode: Opcode.binary, payload: "x" },
      ],
    ],
    ["a ping in fragments", [{ opcode: Opcode.ping, fin: false }]],
    ["a ping of 126 bytes", [{ opcode: Opcode.ping, payload: "x".repeat(126) }]],
    ["a close of one byte", [{ opcode: Opcode.close, payload: "x" }]],
    ["a close with the code 1005", [{ opcode: Opcode.close, payload: Buffer.of(0x03, 0xed) }]],
    ["a close with the code 999", [{ opcode: Opcode.close, payload: Buffer.of(0x03, 0xe7) }]],
  ];

  it.each(bad)("given %s, when it comes, then it is 1002", async (_name, frames) => {
    expect(await codeFor(frames)).toBe(1002);
  });

  it("given text where binary was agreed, or the reverse, when it comes, then it is 1003", async () => {
    expect(await codeFor([{ opcode: Opcode.text, payload: '{"messages":[]}' }], "proto")).toBe(1003);
    expect(await codeFor([{ opcode: Opcode.binary, payload: pingFrame(1) }], "json")).toBe(1003);
    expect(await codeFor([{ opcode: Opcode.text, payload: "" }], "proto")).toBe(1003);
    expect(await codeFor([{ opcode: Opcode.binary, payload: "" }], "json")).toBe(1003);
  });

  it.each([
    ["an overlong form", [0xc0, 0xaf]],
    ["half a surrogate pair", [0xed, 0xa0, 0x80]],
    ["a truncated character", [0xe2, 0x82]],
    ["beyond Unicode", [0xf5, 0x80, 0x80, 0x80]],
  ])("given text with %s, when it comes, then it is 1007", async (_name, bytes) => {
    const payload = Buffer.concat([
      Buffer.from('{"messages":[{"id":1,"ping":{},"x":"'),
      Buffer.from(bytes),
      Buffer.from('"}]}'),
    ]);
    expect(await codeFor([{ opcode: Opcode.text, payload }], "json")).toBe(1007);
  });

  it("given a close whose reason is bad UTF-8, when it comes, then it is 1007", async () => {
    expect(await codeFor([{ opcode: Opcode.close, payload: Buffer.of(0x03, 0xe8, 0xff) }])).toBe(1007);
  });

  it("given a close, when it comes, then it is answered with the same code", async () => {
    expect(await codeFor([{ opcode: Opcode.close, payload: Buffer.of(0x03, 0xe8) }])).toBe(1000);
  });
});

describe("control frames", () => {
  it("given ten pings in a second, when they come, then each is answered", async () => {
    using client = await RawWebSocket.connect(server);
    client.send(...Array.from({ length: 10 }, (_, n) => ({ opcode: Opcode.ping, payload: `ping ${n}` })));
    await client.until(() => client.count(Opcode.pong) === 10, "ten pongs");
    expect(
      client.frames.filter(({ opcode }) => opcode === Opcode.pong).map(({ payload }) => payload.toString()),
    ).toEqual(Array.from({ length: 10 }, (_, n) => `ping ${n}`));
    await expectAlive(client, 1);
    await delay(1_100);
    client.send(...Array.from({ length: 8 }, () => ({ opcode: Opcode.ping })));
    await client.until(() => client.count(Opcode.pong) === 18, "more pongs");
  });

  it.each(["ping", "pong"] as const)(
    "given a flood of %ss, when it comes, then it is 1008 for that connection alone",
    async (kind) => {
      using healthy = await RawWebSocket.connect(server, { user: "flooder" });
      expect(await codeFor(Array.from({ length: 2_000 }, () => ({ opcode: Opcode[kind] })))).toBe(1008);
      await expectAlive(healthy, 1);
    },
  );
});

/** Begins a message, goes on with it every two seconds, and expects its end after 30 s. */
async function expectTimeLimit(
  begin: (client: RawWebSocket) => void,
  goOn: (client: RawWebSocket) => void,
): Promise<void> {
  using client = await RawWebSocket.connect(server);
  const startMs = performance.now();
  begin(client);
  const timer = setInterval(() => goOn(client), 2_000);
  const { code, atMs } = await client.closure(50_000).finally(() => clearInterval(timer));
  expect(code).toBe(1008);
  expect(atMs - startMs).toBeGreaterThan(25_000);
  expect(atMs - startMs).toBeLessThan(40_000);
}

describe.concurrent("a message that is begun and not finished", () => {
  it("given a frame whose payload comes a byte at a time, when 30 s have passed, then it is 1008", async () => {
    await expectTimeLimit(
      (client) => client.send({ opcode: Opcode.binary, payload: "x", declaredLength: 60_000 }),
      (client) => client.sendBytes(Buffer.of(0)),
    );
  }, 45_000);

  it("given fragments that do not end, when 30 s have passed, then it is 1008", async () => {
    await expectTimeLimit(
      (client) => client.send({ opcode: Opcode.binary, payload: "x", fin: false }),
      (client) => client.send({ opcode: Opcode.continuation, payload: "x", fin: false }),
    );
  }, 45_000);

  it("given half the head of a frame, when 30 s have passed and only pings came before, then it is 1008", async () => {
    await expectTimeLimit(
      (client) => client.sendBytes(Buffer.of(0x82)),
      () => undefined,
    );
  }, 45_000);

  it("given fragments with pings between them, when 30 s have passed, then the pings have not helped", async () => {
    await expectTimeLimit(
      (client) => client.send({ opcode: Opcode.binary, payload: "x", fin: false }),
      (client) => client.send({ opcode: Opcode.ping }),
    );
  }, 45_000);
});
