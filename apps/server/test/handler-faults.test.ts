import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type JsonFailure, OpsServer } from "./ops/ops-server.ts";
import { type Command, ProtocolClient, publishOf } from "./support/protocol-client.ts";
import type { LogLine, ServerProcess } from "./support/server-process.ts";
import { refusalOf, upgrade } from "./support/upgrade.ts";

const SENTENCE = "Something went wrong on our side.";
/** What the errors of support/broken-parts.ts say, and where they were raised. */
const INSIDE = /secret|claim|inside|broken|SELECT|RangeError|\.[jt]s\b|node_modules|dist|\n +at /;

let server: OpsServer;
let process: ServerProcess;

beforeAll(async () => {
  server = await OpsServer.start({}, ["--import", join(import.meta.dirname, "support/broken-parts.ts")]);
  ({ process } = server);
});

/** The parts that are not broken serve as before, by the same process. */
afterAll(async () => {
  await using ended = server;
  expect(ended.process.isRunning).toBe(true);
  expect(ended.process.stderr).toBe("");
  await using client = await ProtocolClient.connect(ended);
  await client.subscribe("whole");
  await client.publish("whole", "1");
  await client.take("publication");
});

/** The one line of the log that an error id finds, which says everything. */
async function lineOf(errorId: string): Promise<LogLine> {
  await expect.poll(() => process.linesOf(errorId)).toHaveLength(1);
  const [line] = process.linesOf(errorId);
  if (line === undefined) throw new Error("there is no line");
  const text = JSON.stringify(line);
  for (const part of ["claim=secret", "SELECT secret", "broken-parts"]) expect(text).toContain(part);
  return line;
}

describe("a handler that throws", () => {
  const since = { epoch: "e", offset: 0n };
  const commands: [name: string, command: Command][] = [
    ["Publish", publishOf("broken:1", "1")],
    ["Subscribe", { case: "subscribe", value: { channel: "broken:1" } }],
    ["Subscribe with a position", { case: "subscribe", value: { channel: "broken:1", since } }],
    ["ReadHistory", { case: "readHistory", value: { channel: "broken:1" } }],
    ["RefreshToken", { case: "refreshToken", value: { token: "broken.b.c" } }],
  ];

  it.each(commands)(
    "given it is that of %s, when it throws, then the client gets a sentence and an id, the log has the rest, and the connection stays",
    async (_name, command) => {
      await using client = await ProtocolClient.connect(process);
      const error = await client.refusal(command);
      expect(error).toMatchObject({ code: "INTERNAL_ERROR", message: SENTENCE, field: "", retryable: true });
      expect(await lineOf(error.errorId)).toMatchObject({
        level: "error",
        event: "command_failed",
        tenant_id: "acme",
        user_id: "u-1",
        connection_id: client.welcome.connectionId,
      });
      await client.expect("pong", { case: "ping", value: {} });
      expect(JSON.stringify(client.received("error"))).not.toMatch(INSIDE);
    },
  );

  it("given it is that of tokens, when it throws in a handshake, then it is 500 with a sentence and an id", async () => {
    const answer = await upgrade(process, { headers: [["Authorization", "Bearer broken.b.c"]] });
    const { code, message, error_id } = refusalOf(answer);
    expect([answer.status, code, message]).toEqual([500, "INTERNAL_ERROR", SENTENCE]);
    expect(JSON.stringify([...answer.headers, answer.body])).not.toMatch(INSIDE);
    expect(await lineOf(error_id)).toMatchObject({ level: "error", event: "handshake_refused", status: 500 });
  });

  it.each(["/health", "/ready"])(
    "given it is that of %s, when it throws, then it is 500 without the reason",
    async (path) => {
      const response = await process.get(path);
      const body = await response.text();
      expect(response.status).toBe(500);
      expect(JSON.stringify([...response.headers, body])).not.toMatch(INSIDE);
      const { code, message, error_id } = JSON.parse(body) as Readonly<Record<string, string>>;
      expect([code, message]).toEqual(["INTERNAL_ERROR", SENTENCE]);
      expect(await lineOf(error_id ?? "")).toMatchObject({ level: "error", event: "route_failed" });
    },
  );

  it("given it is that of the operations API, when it throws, then it is Connect's internal without the reason", async () => {
    const { status, headers, body } = await server.post("Publish", { tenantId: "acme", channel: "broken:1" });
    const { code, message, details } = body as JsonFailure;
    expect([status, code, message]).toEqual([500, "internal", SENTENCE]);
    expect(JSON.stringify([...headers, body])).not.toMatch(INSIDE);
    const told = details?.[0]?.debug ?? {};
    expect(told).toMatchObject({ code: "INTERNAL_ERROR", message: SENTENCE });
    expect(await lineOf(String(told["errorId"]))).toMatchObject({ level: "error", event: "operation_failed" });
  });

  it("given it is that of a route for operators, when it throws, then it is 500 without the reason", async () => {
    const response = await server.get("/health");
    const body = await response.text();
    expect([response.status, body.match(INSIDE)]).toEqual([500, null]);
    const { error_id } = JSON.parse(body) as { readonly error_id: string };
    expect(await lineOf(error_id)).toMatchObject({ level: "error", event: "operation_failed" });
  });
});
