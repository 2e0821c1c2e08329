import { afterEach, describe, expect, it } from "vitest";
import { type Command, jsonOf, ProtocolClient, publishOf, type ReplyBody } from "./support/protocol-client.ts";
import { ServerProcess } from "./support/server-process.ts";

let server: ServerProcess;

afterEach(async () => {
  expect(server.faults).toEqual([]);
  await server[Symbol.asyncDispose]();
});

const subscribe = (channel: string): Command => ({ case: "subscribe", value: { channel } });
const history = (channel: string): Command => ({ case: "readHistory", value: { channel } });
const ALLOWED = ["subscribed", "published", "historyPage"];
const denied = (channel: string): string => `PERMISSION_DENIED ${channel}`;

/** The kind of a reply, or the code and the field of an error. */
function outcome(body: ReplyBody): string {
  return body.case === "error" ? `${body.value.code} ${body.value.field}` : String(body.case);
}

async function outcomesOf(client: ProtocolClient, channel: string): Promise<string[]> {
  const results: string[] = [];
  for (const command of [subscribe(channel), publishOf(channel, "1"), history(channel)])
    results.push(outcome(await client.request(command)));
  return results;
}

const PATTERNS: [pattern: string, matching: string[], others: string[]][] = [
  ["project:*", ["project:", "project:42", "project:a:b"], ["project", "Project:42", "xproject:42"]],
  ["*:read", ["a:read", ":read", "a:b:read"], ["read", "a:reads"]],
  ["a*c*e", ["ace", "abcde", "axxcyye"], ["ae", "aec", "abcdef"]],
  ["exact", ["exact"], ["exact:1", "exac", "Exact"]],
  ["a.c", ["a.c"], ["abc"]],
  ["a+", ["a+"], ["aa", "a"]],
  ["*", ["anything", "a:b"], []],
];

describe("the grants of a token", () => {
  it("given each of the three alone, when a client does all, then only what is granted works, and the error names the channel", async () => {
    server = await ServerProcess.start();
    await using client = await ProtocolClient.connect(server, {
      channels: [
        { pattern: "sub:*", allow: ["subscribe"] },
        { pattern: "pub:*", allow: ["publish"] },
        { pattern: "his:*", allow: ["history"] },
      ],
    });
    expect(await outcomesOf(client, "sub:1")).toEqual(["subscribed", denied("sub:1"), denied("sub:1")]);
    expect(await outcomesOf(client, "pub:1")).toEqual([denied("pub:1"), "published", denied("pub:1")]);
    expect(await outcomesOf(client, "his:1")).toEqual([denied("his:1"), denied("his:1"), "historyPage"]);
    expect(await outcomesOf(client, "other")).toEqual([denied("other"), denied("other"), denied("other")]);
    const error = await client.refusal(publishOf("other", "1"));
    expect(error).toMatchObject({ message: "The token does not allow this on the channel.", retryable: false });
  });

  it("given patterns, when channels are tried, then each matches the whole name, and only * is special", async () => {
    server = await ServerProcess.start();
    for (const [pattern, matching, others] of PATTERNS) {
      await using client = await ProtocolClient.connect(server, { channels: [{ pattern, allow: ["subscribe"] }] });
      const outcomes = await Promise.all(
        [...matching, ...others].map(async (channel) => outcome(await client.request(subscribe(channel)))),
      );
      const expected = [...matching.map(() => "subscribed"), ...others.map((channel) => denied(channel))];
      expect([pattern, ...outcomes]).toEqual([pattern, ...expected]);
    }
  });

  it("given a pattern made to be slow, when a long name is tried, then it is decided at once", async () => {
    server = await ServerProcess.start();
    await using client = await ProtocolClient.connect(server, {
      channels: [{ pattern: `${"*a".repeat(60)}*b`, allow: ["subscribe"] }],
    });
    const channel = "a".repeat(200);
    for (let n = 0; n < 50; n += 1)
      expect(outcome(await client.request(subscribe(channel), 1_000))).toBe(denied(channel));
  });

  it("given no grant of history, when a client continues or rewinds, then only a since with a check is allowed", async () => {
    server = await ServerProcess.start();
    await using publisher = await ProtocolClient.connect(server, { user: "publisher" });
    const { position } = await publisher.publish("log", "1");
    await publisher.publish("log", "2");
    await using client = await ProtocolClient.connect(server, { channels: [{ pattern: "log", allow: ["subscribe"] }] });
    const since = { epoch: position?.epoch ?? "", offset: 1n, check: position?.check ?? 0 };
    const asked = [
      { channel: "log", rewind: 1 },
      { channel: "log", since: { ...since, check: 0 } },
    ];
    for (const value of asked) expect(outcome(await client.request({ case: "subscribe", value }))).toBe(denied("log"));
    expect(await client.expect("subscribed", { case: "subscribe", value: { channel: "log", since } })).toMatchObject({
      recovered: true,
    });
    expect(jsonOf(await client.take("publication"))).toBe("2");
  });

  it("given no grants at all, when a client reads the reserved channels, then it may, and publishing to them is denied to everybody", async () => {
    server = await ServerProcess.start();
    await using granted = await ProtocolClient.connect(server, { roles: ["admin"] });
    await using bare = await ProtocolClient.connect(server, { channels: [] });
    for (const channel of ["tenant", "user"]) {
      expect(await outcomesOf(bare, channel)).toEqual(["subscribed", denied(channel), "historyPage"]);
      expect(await outcomesOf(granted, channel)).toEqual(["subscribed", denied(channel), "historyPage"]);
      const rewound = await bare.request({ case: "subscribe", value: { channel, rewind: 10 } });
      expect(outcome(rewound)).toBe("subscribed");
    }
  });

  it("given names that only begin like the reserved ones, when a client with all grants uses them, then they are channels like any other", async () => {
    server = await ServerProcess.start();
    await using client = await ProtocolClient.connect(server);
    for (const channel of ["tenants", "users:1", "Tenant", "tenant:42", "user:42"])
      expect([channel, ...(await outcomesOf(client, channel))]).toEqual([channel, ...ALLOWED]);
    await using bare = await ProtocolClient.connect(server, { channels: [] });
    for (const channel of ["tenant:42", "user:42"])
      expect(outcome(await bare.request(subscribe(channel)))).toBe(denied(channel));
  });
});

describe("DEFAULT_GRANTS=deny", () => {
  it("given a token without channels, when a client uses a channel, then it is denied; one with channels is not", async () => {
    server = await ServerProcess.start({ DEFAULT_GRANTS: "deny" });
    await using bare = await ProtocolClient.connect(server);
    expect(await outcomesOf(bare, "project:1")).toEqual([
      denied("project:1"),
      denied("project:1"),
      denied("project:1"),
    ]);
    expect(outcome(await bare.request(subscribe("tenant")))).toBe("subscribed");
    await using granted = await ProtocolClient.connect(server, {
      channels: [{ pattern: "project:*", allow: ["subscribe", "publish", "history"] }],
    });
    expect(await outcomesOf(granted, "project:1")).toEqual(ALLOWED);
  });
});

/** What comes of a Publish. */
async function may(client: ProtocolClient, channel: string): Promise<string> {
  return outcome(await client.request(publishOf(channel, "1")));
}

describe("CHANNEL_KINDS", () => {
  const KINDS = JSON.stringify({
    "*": { clientPublish: "deny" },
    project: { clientPublish: { roles: ["editor", "owner"] } },
    chat: { clientPublish: "allow" },
    tenant: { clientPublish: { roles: ["admin"] } },
    short: { clientPublish: "allow", retainedCount: 2 },
  });

  it("given who may publish by kind, when clients of several roles publish, then the kind and the role decide", async () => {
    server = await ServerProcess.start({ CHANNEL_KINDS: KINDS });
    await using plain = await ProtocolClient.connect(server, { user: "plain" });
    await using editor = await ProtocolClient.connect(server, { user: "editor", roles: ["viewer", "editor"] });
    await using admin = await ProtocolClient.connect(server, { user: "admin", roles: ["admin"] });
    expect([await may(plain, "chat"), await may(plain, "chat:1")]).toEqual(["published", "published"]);
    expect([await may(plain, "other"), await may(admin, "other:1")]).toEqual([denied("other"), denied("other:1")]);
    expect([await may(plain, "project:1"), await may(editor, "project:1")]).toEqual([denied("project:1"), "published"]);
    expect([await may(editor, "tenant"), await may(admin, "tenant")]).toEqual([denied("tenant"), "published"]);
    expect((await plain.take("publication")).channel).toBe("tenant");
    expect([await may(admin, "user"), await may(editor, "projects:1")]).toEqual([denied("user"), denied("projects:1")]);
  });

  it("given a role that may publish and a token that does not grant it, when the client publishes, then both are needed", async () => {
    server = await ServerProcess.start({ CHANNEL_KINDS: KINDS });
    await using client = await ProtocolClient.connect(server, {
      roles: ["editor"],
      channels: [{ pattern: "project:1", allow: ["publish"] }],
    });
    expect(outcome(await client.request(publishOf("project:1", "1")))).toBe("published");
    expect(outcome(await client.request(publishOf("project:2", "1")))).toBe(denied("project:2"));
  });

  it("given how much a kind retains, when more is published, then only that is left to read", async () => {
    server = await ServerProcess.start({ CHANNEL_KINDS: KINDS });
    await using client = await ProtocolClient.connect(server);
    for (let n = 1; n <= 5; n += 1) await client.publish("short:1", String(n));
    const page = await client.expect("historyPage", history("short:1"));
    expect(page.publications.map(({ offset }) => offset)).toEqual([4n, 5n]);
  });
});
