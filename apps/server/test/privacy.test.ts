import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Command, ProtocolClient, publishOf } from "./support/protocol-client.ts";
import { ServerProcess } from "./support/server-process.ts";
import { sign, claimsFor, tokenFor } from "./support/token.ts";
import { bearer, type HeaderLine, refusalOf, upgrade } from "./support/upgrade.ts";
import { expectUnharmed } from "./support/unharmed.ts";

/** What would break a line of a log, or lie to who reads it in a terminal. */
const CONTROL = 'a\r\n{"event":"forged"}\u001b[31m\u202e\u2066\u0085\u2028\u0000b';
const LONG = "x".repeat(10_240);
/** What is inside of the server and no business of a client. */
const INSIDE = /\.(js|ts)\b|node_modules|\/work\/|\bat \w+|dist|Error:|stack|packages/;

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start({ LOG_LEVEL: "debug", RATE_LIMIT_REQUESTS: "100000" });
});

afterAll(async () => {
  await expectUnharmed(server);
  for (const line of server.stdout.split("\n")) {
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(line).not.toContain("\\u001b");
    expect(line.length).toBeLessThan(8_192);
  }
  expect(server.lines.some(({ event }) => event === "forged")).toBe(false);
  await server[Symbol.asyncDispose]();
});

/** The number of lines that something adds to the log, once the log is quiet. */
async function linesAdded(act: () => Promise<unknown>): Promise<string[]> {
  const before = server.lines.length;
  await act();
  let last = -1;
  await expect.poll(() => last === (last = server.lines.length) && last > before, { interval: 60 }).toBe(true);
  return server.lines.slice(before).map((line) => JSON.stringify(line));
}

/** Commands that are refused for a text in one of their fields. */
const refusedCommands = (text: string): [field: string, command: Command][] => [
  ["channel", { case: "subscribe", value: { channel: text } }],
  ["channel", publishOf(text, "1")],
  ["event", { case: "publish", value: { channel: "c", event: text.padEnd(65, "e") } }],
  ["idempotency_key", { case: "publish", value: { channel: "c", idempotencyKey: text.padEnd(65, "k") } }],
  ["trace_parent", { case: "publish", value: { channel: "c", traceParent: text.padEnd(129, "t") } }],
  ["features", { case: "hello", value: { features: [text.padEnd(65, "f")] } }],
  ["channel", { case: "readHistory", value: { channel: text } }],
  ["channel", { case: "unsubscribe", value: { channel: text } }],
  ["sdk", { case: "hello", value: { sdk: text.padEnd(129, "s") } }],
  ["session_id", { case: "hello", value: { sessionId: text.padEnd(65, "s") } }],
  ["epoch", { case: "subscribe", value: { channel: "c", since: { epoch: text.padEnd(65, "e") } } }],
];

describe("what a client controls", () => {
  it.each([
    ["control characters", CONTROL],
    ["10 KB", LONG],
  ])(
    "given %s in every field of a command, when it is refused, then the error says nothing of it and the log has one line",
    async (_name, text) => {
      for (const [field, command] of refusedCommands(text)) {
        await using client = await ProtocolClient.connect(server, { encoding: "json" });
        const error = await client.refusal(command);
        expect([field, error.code, error.message]).toEqual([field, "INVALID_MESSAGE", "The message is not valid."]);
        expect(error.field).toContain(field === "epoch" ? "since" : field);
        expect(error.field.length).toBeLessThan(40);
        await expect.poll(() => server.linesOf(error.errorId).length).toBe(1);
      }
    },
  );

  it.each([
    ["control characters", CONTROL.slice(0, 40)],
    ["printable ones", "sdk/1"],
  ])("given a good Hello with %s, when it is taken, then the client is served", async (_name, text) => {
    await using client = await ProtocolClient.connect(server);
    await client.expect("pong", { case: "hello", value: { sessionId: text, sdk: text, features: [text] } });
    await client.expect("published", {
      case: "publish",
      value: { channel: "c", event: text, idempotencyKey: text, traceParent: text },
    });
  });

  it("given control characters in the user id, when the client connects and goes, then each line of the log stays one line", async () => {
    const added = await linesAdded(async () => {
      await using client = await ProtocolClient.connect(server, { user: CONTROL });
      expect(client.welcome.userId).toBe(CONTROL);
      await client.refusal({ case: "subscribe", value: { channel: "" } });
    });
    for (const line of added) expect(line).not.toContain("\u202e");
  });

  const headers: [name: string, line: HeaderLine][] = [
    ["a long Origin", ["Origin", `https://${LONG}.example`]],
    ["an Origin with bytes above ASCII", ["Origin", "https://\u00e2\u0080\u00ae\u0085\u009b31m.example"]],
    ["a long User-Agent", ["User-Agent", LONG]],
    ["a User-Agent with bytes above ASCII", ["User-Agent", "\u009b31m\u0085\u00e2\u0080\u00a8"]],
    ["long subprotocols", ["Sec-WebSocket-Protocol", LONG]],
    ["many subprotocols", ["Sec-WebSocket-Protocol", Array.from({ length: 2_000 }, (_, n) => `p${n}`).join(",")]],
    ["a long X-Forwarded-For", ["X-Forwarded-For", LONG]],
    ["a long bad token", ["Authorization", `Bearer ${LONG}`]],
  ];

  it.each(headers)(
    "given %s, when the handshake is refused, then the answer has nothing of it and the log one line",
    async (name, line) => {
      const token: HeaderLine[] =
        name.includes("token") || name.includes("User-Agent") || name.includes("Forwarded") ? [] : [await bearer()];
      const answer = await upgrade(server, { headers: [...token, line] });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      const { error_id } = refusalOf(answer);
      expect(answer.body).not.toContain("xxxx");
      expect(answer.body.length).toBeLessThan(300);
      await expect.poll(() => server.linesOf(error_id).length).toBe(1);
    },
  );
});

describe("what an error tells", () => {
  it("given every refusal of a handshake, when its answer is read, then there is nothing of the inside in it", async () => {
    const requests = [
      upgrade(server),
      upgrade(server, { path: "/ws?token=a.b.c" }),
      upgrade(server, { headers: [["Authorization", "Bearer a.b.c"]] }),
      upgrade(server, { headers: [["Authorization", "Basic x"]] }),
      upgrade(server, { headers: [await bearer(), ["Sec-WebSocket-Protocol", "x"]] }),
      upgrade(server, { headers: [await bearer(), ["Origin", "https://evil.example"]] }),
    ];
    for (const answer of await Promise.all(requests)) {
      expect(answer.body).not.toMatch(INSIDE);
      expect(JSON.stringify([...answer.headers])).not.toMatch(INSIDE);
      expect(answer.headers.has("x-powered-by")).toBe(false);
      expect(refusalOf(answer).error_id).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it("given paths, queries and methods that do not exist, when they are asked for, then the answers tell nothing of the inside", async () => {
    for (const path of ["/..%2f..%2fetc/passwd", "/%", "/health?x=%00", "/live/%ff", "/%c0%af", `/${LONG}`]) {
      const response = await server.get(path);
      expect([path, (await response.text()).match(INSIDE)]).toEqual([path, null]);
      expect(response.status).toBeLessThan(500);
    }
    const posted = await fetch(`http://${server.host}:${server.port}/health`, {
      method: "POST",
      body: "{",
      headers: { "content-type": "application/json" },
    });
    expect(posted.status).toBeGreaterThanOrEqual(400);
    expect(await posted.text()).not.toMatch(INSIDE);
  });

  it("given every error of a connection, when it is read, then its message is the sentence of its code and its id finds one line", async () => {
    await using client = await ProtocolClient.connect(server, {
      channels: [{ pattern: "only:*", allow: ["subscribe"] }],
    });
    const commands: Command[] = [
      { case: "subscribe", value: { channel: "denied" } },
      { case: "unsubscribe", value: { channel: "only:1" } },
      { case: "subscribe", value: { channel: "a b" } },
      { case: "refreshToken", value: { token: "a.b.c" } },
      { case: "readHistory", value: { channel: "only:1" } },
    ];
    for (const command of commands) {
      const error = await client.refusal(command);
      expect(`${error.message} ${error.field}`).not.toMatch(INSIDE);
      await expect.poll(() => server.linesOf(error.errorId).length).toBe(1);
      expect(server.linesOf(error.errorId)[0]).toMatchObject({
        tenant_id: "acme",
        user_id: "u-1",
        connection_id: client.welcome.connectionId,
      });
    }
  });

  it("given tokens that come in every way, when all is done, then none of their parts is in the log", async () => {
    const good = await tokenFor({ user: "secretive" });
    const bad = await sign({ ...claimsFor({ user: "secretive" }), exp: "x" } as never);
    await using client = await ProtocolClient.connect(server, { token: good });
    await client.refusal({ case: "refreshToken", value: { token: bad } });
    await client.expect("tokenRefreshed", { case: "refreshToken", value: { token: good } });
    await upgrade(server, { headers: [["Authorization", `Bearer ${bad}`]] });
    await upgrade(server, { headers: [["Authorization", `Basic ${bad}`]] });
    await upgrade(server, { path: `/ws?access_token=${good}` });
    await upgrade(server, { path: `/nowhere?jwt=${good}` });
    await upgrade(server, { headers: [["Sec-WebSocket-Protocol", `pm.v1.bearer.${good}`]] });
    await upgrade(server, { headers: [["Sec-WebSocket-Protocol", `pm.v1.json, pm.v1.bearer.${bad}`]] });
    await upgrade(server, {
      headers: [await bearer({ user: "secretive" }), ["Origin", `https://${bad.slice(0, 60)}`]],
    });
    await client.refusal({ case: "subscribe", value: { channel: `a b ${good}`.slice(0, 150) } });
    await expectUnharmed(server);
    for (const token of [good, bad]) {
      for (const part of token.split(".").slice(1)) expect(server.stdout).not.toContain(part.slice(0, 24));
    }
    expect(server.stdout).not.toContain("a secret of tests");
  });
});
