import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { OpsService } from "@pm/proto/ops";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jsonOf, ProtocolClient } from "../support/protocol-client.ts";
import { expectUnharmed } from "../support/unharmed.ts";
import { type JsonFailure, OpsServer } from "./ops-server.ts";

let server: OpsServer;

beforeAll(async () => {
  server = await OpsServer.start();
});

afterAll(async () => {
  await expectUnharmed(server.process);
  await server[Symbol.asyncDispose]();
});

const json = (text: string) => ({ kind: { case: "json", value: text } }) as const;

describe("Publish", () => {
  it("given a subscriber, when a backend posts JSON, then the publication arrives and the answer says where it is", async () => {
    await using client = await ProtocolClient.connect(server);
    await client.subscribe("project:42");
    const { status, body } = await server.post("Publish", {
      tenantId: "acme",
      channel: "project:42",
      payload: { json: '{"text":  "hello"}' },
      event: "task.done",
      traceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    });
    const publication = await client.take("publication");
    expect(jsonOf(publication)).toBe('{"text":  "hello"}');
    expect(publication).toMatchObject({
      event: "task.done",
      publisher: "",
      traceParent: expect.stringMatching(/^00-4bf/),
    });
    expect([status, body]).toEqual([
      200,
      {
        position: { epoch: expect.any(String), offset: String(publication.offset), check: publication.check },
        messageId: publication.messageId,
      },
    ]);
  });

  it.each([
    ["Connect in binary", () => createConnectTransport({ baseUrl: server.opsUrl, httpVersion: "1.1" })],
    ["Connect over HTTP/2", () => createConnectTransport({ baseUrl: server.opsUrl, httpVersion: "2" })],
    ["gRPC", () => createGrpcTransport({ baseUrl: server.opsUrl })],
    ["gRPC-web", () => createGrpcWebTransport({ baseUrl: server.opsUrl, httpVersion: "1.1" })],
  ])("given a client of %s, when it publishes bytes, then they arrive as they are", async (name, transport) => {
    const channel = `by:${name.replaceAll(/\W/g, "-")}`;
    await using client = await ProtocolClient.connect(server);
    await client.subscribe(channel);
    const data = Uint8Array.from({ length: 256 }, (_, index) => index);
    const published = await createClient(OpsService, transport()).publish({
      tenantId: "acme",
      target: { case: "channel", value: channel },
      payload: { kind: { case: "data", value: data } },
    });
    const publication = await client.take("publication");
    expect(Buffer.from(publication.payload?.kind.value as Uint8Array)).toEqual(Buffer.from(data));
    expect(published).toMatchObject({ duplicate: false, messageId: publication.messageId, position: { offset: 1n } });
  });

  it("given users of two tenants, when one user is the target, then all their devices get it and nobody else", async () => {
    await using phone = await ProtocolClient.connect(server, { user: "ada" });
    await using laptop = await ProtocolClient.connect(server, { user: "ada" });
    await using other = await ProtocolClient.connect(server, { user: "bob" });
    await using namesake = await ProtocolClient.connect(server, { tenant: "globex", user: "ada" });
    const all = [phone, laptop, other, namesake];
    await Promise.all(all.map((client) => client.subscribe("user")));
    await server.ops.publish({ tenantId: "acme", target: { case: "userId", value: "ada" }, payload: json("1") });
    expect([jsonOf(await phone.take("publication")), jsonOf(await laptop.take("publication"))]).toEqual(["1", "1"]);
    for (const client of [other, namesake]) {
      await client.expect("pong", { case: "ping", value: {} });
      expect(client.received("publication")).toEqual([]);
    }
  });

  it("given clients that subscribed to nothing, when the whole tenant is the target, then each of its own gets it", async () => {
    await using one = await ProtocolClient.connect(server, { tenant: "whole", user: "one" });
    await using two = await ProtocolClient.connect(server, { tenant: "whole", user: "two" });
    await using stranger = await ProtocolClient.connect(server, { tenant: "other" });
    const { body } = await server.post("Publish", { tenantId: "whole", wholeTenant: {}, payload: { json: "2" } });
    expect(body).toMatchObject({ position: { offset: "1" } });
    for (const client of [one, two]) expect(await client.take("publication")).toMatchObject({ channel: "tenant" });
    await stranger.expect("pong", { case: "ping", value: {} });
    expect(stranger.received("publication")).toEqual([]);
  });

  it("given an idempotency key, when it is used again, then it answers where the first one is, and a client's own key is another", async () => {
    const request = { tenantId: "acme", channel: "once", payload: { json: "1" }, idempotencyKey: "k" };
    const [first, second] = [await server.post("Publish", request), await server.post("Publish", request)];
    expect(second.body).toEqual({ ...(first.body as object), duplicate: true });
    await using client = await ProtocolClient.connect(server);
    const command = { case: "publish", value: { channel: "once", idempotencyKey: "k" } } as const;
    expect(await client.expect("published", command)).toMatchObject({ duplicate: false, position: { offset: 2n } });
  });

  it.each([
    ["no tenant", "tenant_id", { channel: "a" }],
    ["a tenant outside the grammar", "tenant_id", { tenantId: "a/b", channel: "a" }],
    ["no target", "target", { tenantId: "acme" }],
    ["a channel outside the grammar", "channel", { tenantId: "acme", channel: "a b" }],
    ["the channel of a user without the user", "channel", { tenantId: "acme", channel: "user" }],
    ["an empty user", "user_id", { tenantId: "acme", userId: "" }],
    ["a user over 128 bytes", "user_id", { tenantId: "acme", userId: "u".repeat(129) }],
    ["an event over 64 bytes", "event", { tenantId: "acme", channel: "a", event: "e".repeat(65) }],
    ["a key over 64 bytes", "idempotency_key", { tenantId: "acme", channel: "a", idempotencyKey: "é".repeat(33) }],
    ["a long trace parent", "trace_parent", { tenantId: "acme", channel: "a", traceParent: "t".repeat(129) }],
    ["64 KiB and a byte", "payload", { tenantId: "acme", channel: "a", payload: { json: "x".repeat(65_537) } }],
  ])("given %s, when it is published, then it is refused with the field %s", async (_what, field, request) => {
    const { status, body } = await server.post("Publish", request);
    const { code, details } = body as JsonFailure;
    expect([status, code]).toEqual([400, "invalid_argument"]);
    const told = { code: "INVALID_MESSAGE", field, errorId: expect.stringMatching(/^[\da-f-]{36}$/) };
    expect(details?.[0]?.debug).toMatchObject(told);
  });

  it("given everything at its largest, when it is published, then it is taken", async () => {
    const texts = { event: "e".repeat(64), idempotencyKey: "é".repeat(32), traceParent: "t".repeat(128) };
    const payload = { json: JSON.stringify("x".repeat(65_534)) };
    const largest = { tenantId: "acme", userId: "u".repeat(128), payload, ...texts };
    const { status, body } = await server.post("Publish", largest, { "content-type": "Application/JSON" });
    expect([status, body]).toMatchObject([200, { position: { offset: "1" } }]);
  });

  it.each([
    ["no JSON", "{", 400, "invalid_argument"],
    ["no object", "7", 400, "invalid_argument"],
    ["a number where a text has to be", '{"tenantId":7}', 400, "invalid_argument"],
    ["more than may be read", JSON.stringify({ tenantId: "a".repeat(200_000) }), 429, "resource_exhausted"],
  ])(
    "given a body with %s, when it is posted, then it is refused without a word of the inside",
    async (_what, text, ...expected) => {
      const { status, body } = await server.post("Publish", text);
      expect([status, (body as JsonFailure).code]).toEqual(expected);
      expect(JSON.stringify(body)).not.toMatch(/node_modules|\.[tj]s\b|\\n +at /);
    },
  );

  it("given a compressed body, when it is posted, then it is refused", async () => {
    const { status, body } = await server.post("Publish", "x", { "content-encoding": "gzip" });
    expect([status, (body as JsonFailure).code]).toEqual([501, "unimplemented"]);
  });
});

describe("PublishBatch", () => {
  it("given good and bad publications, when they are sent together, then each has its own outcome, in their order", async () => {
    await using client = await ProtocolClient.connect(server);
    await client.subscribe("batch");
    const publications = [
      ...Array.from({ length: 20 }, (_, n) => ({ tenantId: "acme", channel: "batch", payload: { json: String(n) } })),
      { tenantId: "acme", channel: "no good" },
      { tenantId: "acme", channel: "batch", payload: { json: "20" } },
    ];
    const { body } = await server.post("PublishBatch", { publications });
    const { outcomes } = body as {
      outcomes: { published?: { position: { offset: string } }; error?: { field: string } }[];
    };
    const offsets = [...Array.from({ length: 20 }, (_, n) => String(n + 1)), undefined, "21"];
    expect(outcomes.map(({ published }) => published?.position.offset)).toEqual(offsets);
    expect(outcomes[20]?.error).toMatchObject({ code: "INVALID_MESSAGE", field: "channel" });
    for (let n = 0; n <= 20; n += 1) expect(jsonOf(await client.take("publication"))).toBe(String(n));
  });

  it("given 256, when they are sent, then all are published, in their order", async () => {
    const publications = Array.from({ length: 256 }, () => ({ tenantId: "acme", channel: "full-batch" }));
    const { status, body } = await server.post("PublishBatch", { publications });
    const { outcomes } = body as { outcomes: { published: { position: { offset: string } } }[] };
    expect(status).toBe(200);
    expect(outcomes.map(({ published }) => published.position.offset)).toEqual(
      publications.map((_, at) => String(at + 1)),
    );
  });

  it("given more than 256, when they are sent, then none is published", async () => {
    const publications = Array.from({ length: 257 }, () => ({ tenantId: "acme", channel: "too-many" }));
    const { status, body } = await server.post("PublishBatch", { publications });
    expect([status, (body as JsonFailure).details?.[0]?.debug]).toMatchObject([400, { field: "publications" }]);
    const after = await server.ops.publish({ tenantId: "acme", target: { case: "channel", value: "too-many" } });
    expect(after.position?.offset).toBe(1n);
  });

  it.each([
    ["JSON", "application/json", `{"publications":[${"{},".repeat(2_700_000)}{}]}`],
    [
      "JSON in gRPC-web",
      "application/grpc-web+json",
      enveloped(Buffer.from(`{"publications":[${"{},".repeat(9_999)}{}]}`)),
    ],
    ["protobuf", "application/proto", Buffer.alloc(8_000_000, Buffer.from([10, 0]))],
    ["gRPC-web", "application/grpc-web+proto", enveloped(Buffer.alloc(8_000_000, Buffer.from([10, 0])))],
  ])(
    "given millions of empty ones as %s, when they are sent, then they are refused at once",
    async (_what, type, body) => {
      const begunMs = performance.now();
      const response = await fetch(`${server.opsUrl}/pm.v1.OpsService/PublishBatch`, {
        method: "POST",
        headers: { "content-type": type },
        body,
      });
      const told = `${response.headers.get("grpc-message") ?? ""}${await response.text()}`;
      expect(decodeURIComponent(told)).toMatch(/body cannot be taken: more than 4096 fields/);
      expect(performance.now() - begunMs).toBeLessThan(2_000);
    },
  );
});

/** A message as gRPC-web sends it. */
function enveloped(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Uint8Array.from(Buffer.concat([head, message]));
}
