import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectUnharmed } from "../support/unharmed.ts";
import { type JsonFailure, OpsServer } from "./ops-server.ts";

/** What would break a line of a log, or lie to who reads it in a terminal. */
const CONTROL = 'a\r\n{"event":"forged"}\u001b[31m\u202e\u2066\u0085\u2028\u0000b';
const UNSHOWABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const LONG = "x".repeat(10_240);

let server: OpsServer;

beforeAll(async () => {
  server = await OpsServer.start({ LOG_LEVEL: "debug", TENANT_VALIDATION: "directory" });
  await server.ops.createTenant({ tenantId: "acme" });
});

afterAll(async () => {
  await using ended = server;
  await ended.ops.createTenant({ tenantId: "healthy" });
  await expectUnharmed(ended.process);
  for (const line of ended.process.stdout.trimEnd().split("\n")) {
    expect(line).not.toMatch(UNSHOWABLE);
    expect(line.length).toBeLessThan(8_192);
    // Escapes of JSON do not hide any either.
    JSON.parse(line, (_name, value: unknown) => {
      if (typeof value === "string") expect(value).not.toMatch(UNSHOWABLE);
      return value;
    });
  }
  expect(ended.process.lines.some(({ event }) => event === "forged")).toBe(false);
});

/** Requests that are refused for a text in one of their fields. */
const refused = (text: string): [method: string, request: object][] => [
  ["Publish", { tenantId: text, channel: "c" }],
  ["Publish", { tenantId: "acme", channel: text }],
  ["Publish", { tenantId: "acme", userId: text.padEnd(129, "u") }],
  ["Publish", { tenantId: "acme", channel: "c", event: text.padEnd(65, "e") }],
  ["Publish", { tenantId: "acme", channel: "c", idempotencyKey: text.padEnd(65, "k") }],
  ["Publish", { tenantId: "acme", channel: "c", traceParent: text.padEnd(129, "t") }],
  ["Disconnect", { tenantId: text }],
  ["Disconnect", { tenantId: "acme", userId: text.padEnd(129, "u") }],
  ["ListConnections", { tenantId: text }],
  ["ListConnections", { cursor: text }],
  ["ListTenants", { cursor: text }],
  ["CreateTenant", { tenantId: text }],
  ["CreateTenant", { tenantId: "new", displayName: text }],
  ["UpdateTenant", { tenantId: "acme", displayName: text }],
  ["SuspendTenant", { tenantId: text }],
];

describe("what a caller of the operations API controls", () => {
  it.each([
    ["control characters", CONTROL],
    ["10 KB", LONG],
  ])("given %s in every field, when it is refused, then the log has one line of it", async (_name, text) => {
    for (const [method, request] of refused(text)) {
      const { status, body } = await server.post(method, request);
      const { details } = body as JsonFailure;
      expect([method, Object.keys(request), status]).toEqual([method, Object.keys(request), 400]);
      const errorId = String(details?.[0]?.debug["errorId"]);
      await expect.poll(() => server.process.linesOf(errorId)).toHaveLength(1);
      expect(server.process.linesOf(errorId)[0]).toMatchObject({ event: "operation_refused", operation: method });
    }
  });

  it("given them in the query of a route, when it is refused, then the log has one line of it", async () => {
    for (const text of [CONTROL, LONG]) {
      const response = await server.get(`/connections?tenant=${encodeURIComponent(text)}`);
      const { error_id } = (await response.json()) as { readonly error_id: string };
      expect(response.status).toBe(400);
      await expect.poll(() => server.process.linesOf(error_id)).toHaveLength(1);
    }
  });
});
