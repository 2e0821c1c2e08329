import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Channel, ClientState } from "./index.ts";
import * as index from "./index.ts";
import { ScriptedServer, turn } from "../test/scripted-server.ts";
import { SDK_NAME } from "./sdk-name.ts";

const { bytes, json, PmClient } = index;
const getToken = (): string => "token";

describe("PmClient", () => {
  it.each<[string, ConstructorParameters<typeof PmClient>[0], string]>([
    ["a URL that is none", { url: "nonsense", getToken }, 'url is "nonsense", not a URL'],
    ["another scheme", { url: "ftp://server/ws", getToken }, "url has the scheme ftp:, not ws: or wss:"],
    ["a token in the URL", { url: "ws://server/ws?jwt=x", getToken }, "url carries a token in jwt"],
    [
      "a number below 1",
      { url: "ws://server/ws", getToken, maxPendingPublishes: 0 },
      "maxPendingPublishes is 0 (at least 1)",
    ],
    [
      "no number",
      { url: "ws://server/ws", getToken, replyTimeoutMs: Number.NaN },
      "replyTimeoutMs is NaN (at least 1)",
    ],
    [
      "half a surrogate pair",
      { url: "ws://server/ws", getToken, sessionId: "\ud800" },
      "sessionId is not well-formed text",
    ],
    [
      "a long id",
      { url: "ws://server/ws", getToken, sessionId: "ä".repeat(33) },
      "sessionId has 66 bytes (at most 64)",
    ],
    [
      "an encoding that is none",
      { url: "ws://server/ws", getToken, encoding: "protobuf" as never },
      'encoding is "protobuf", not "proto" or "json"',
    ],
    [
      "a number without an end",
      { url: "ws://server/ws", getToken, maxQueuedPublications: Number.POSITIVE_INFINITY },
      "maxQueuedPublications is Infinity (at least 1)",
    ],
    [
      "an encoding that every object has",
      { url: "ws://server/ws", getToken, encoding: "toString" as never },
      'encoding is "toString", not "proto" or "json"',
    ],
    [
      "an id that is none",
      { url: "ws://server/ws", getToken, sessionId: 5 as never },
      "sessionId is not well-formed text",
    ],
    ["no getToken", { url: "ws://server/ws", getToken: undefined as never }, "getToken is not a function"],
  ])("given %s, when a client is made, then it is refused and says which option", (_, options, message) => {
    expect(() => new PmClient(options)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT", message }));
  });

  it.each(["token", "access_token", "jwt", "bearer", "auth", "authorization"])(
    "given a URL with the parameter %s, in which servers refuse tokens, when a client is made, then it is refused",
    (parameter) => {
      expect(() => new PmClient({ url: `ws://server/ws?${parameter}=x`, getToken })).toThrow(
        `url carries a token in ${parameter}`,
      );
    },
  );

  it("given a page, when a client is made with a URL that is relative to it, then it is the page's server", async () => {
    Object.assign(globalThis, { location: { href: "https://example.com/app/" } });
    try {
      const server = new ScriptedServer({ url: "/ws" });
      expect((await server.dial()).url).toBe("wss://example.com/ws");
      await server.client.close();
    } finally {
      Reflect.deleteProperty(globalThis, "location");
    }
  });

  it("given the least that options may be, when a client is made, then it is taken", () => {
    expect(() => new PmClient({ url: "ws://server/ws", getToken, maxPendingPublishes: 1 })).not.toThrow();
  });

  it("given a session id, when the client says Hello, then it is that", async () => {
    const server = new ScriptedServer({ sessionId: "tab-5" });
    expect((await server.connect()).asked("hello")).toMatchObject([{ value: { sessionId: "tab-5" } }]);
    await server.client.close();
  });

  it("given a position and a rewind, when a channel with both is asked for, then that is refused", () => {
    const { client } = new ScriptedServer();
    const since = { epoch: "e1", offset: 1, check: 1 };
    expect(() => client.channel("a", { since, rewind: 1 })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT", field: "rewind" }),
    );
  });

  it("given an http URL, when the client connects, then it is the one of WebSocket", async () => {
    const server = new ScriptedServer({ url: new URL("https://server/ws#part") });
    expect((await server.dial()).url).toBe("wss://server/ws");
    await server.client.close();
  });

  it("given a channel, when it is asked for again, then it is the same; with another type, then that is refused", () => {
    const { client } = new ScriptedServer();
    const typed = client.channel("a", { payload: bytes });
    expect(client.channel("a")).toBe(typed);
    expect(client.channel("a", { payload: bytes })).toBe(typed);
    expect(() => client.channel("a", { payload: json(String) })).toThrow("payload of a is another one than before");
  });

  it.each(["", "a b", "ä", "a".repeat(201), "a\n", 5 as never])(
    "given %j, when a channel of that name is asked for, then it is refused",
    (name) => {
      const { client } = new ScriptedServer();
      expect(() => client.channel(name)).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT", field: "channel" }),
      );
    },
  );

  it("given a listener that was ended, when something happens, then it is not called", async () => {
    const server = new ScriptedServer();
    const states: string[] = [];
    const unlisten = server.client.on("state", ({ kind }) => states.push(kind));
    await server.dial();
    unlisten();
    unlisten();
    await server.client.close();
    expect(states).toEqual(["connecting"]);
  });

  it("given a client that is closed already, when it is closed again, then nothing is told", async () => {
    const server = new ScriptedServer();
    const states: string[] = [];
    server.client.on("state", ({ kind }) => states.push(kind));
    await server.client.close();
    await server.dial();
    for (let count = 0; count < 2; count++) await server.client.close();
    expect(states).toEqual(["connecting", "idle"]);
  });

  it("given a client in use, when its scope ends, then it is closed", async () => {
    const server = new ScriptedServer();
    {
      await using client = server.client;
      await server.connect();
      expect(client.state.kind).toBe("connected");
    }
    expect([server.client.state.kind, server.socket.closedWith]).toEqual(["idle", 1000]);
  });

  it("given connect, when it is called while connected, then it resolves at once", async () => {
    const server = new ScriptedServer();
    await server.connect();
    await server.client.connect();
    expect(server.sockets).toHaveLength(1);
    await server.client.close();
  });
});

describe("a client that its listeners end", () => {
  let server: ScriptedServer;

  beforeEach(() => {
    server = new ScriptedServer();
  });
  afterEach(() => server.client.close());

  /** Closes the client, once, when it comes into a state of this kind. */
  function closeWhen(wanted: ClientState["kind"]): void {
    const unlisten = server.client.on("state", ({ kind }) => {
      if (kind !== wanted) return;
      unlisten();
      void server.client.close();
    });
  }

  async function subscribed(name: string): Promise<Channel> {
    const channel = server.client.channel(name);
    void channel.subscribe().catch(() => undefined);
    await turn();
    server.socket.subscribed(name);
    return channel;
  }

  it("given a listener that closes the client when it begins to connect, when it connects, then connect rejects and nothing is opened", async () => {
    closeWhen("connecting");
    await expect(server.client.connect()).rejects.toMatchObject({ code: "CLOSED" });
    await server.after(60_000);
    expect([server.client.state.kind, server.sockets.length, server.tokens]).toEqual(["idle", 0, 0]);
  });

  it("given a listener that closes the client when it is connected, when it connects, then no timer is left and no token is fetched", async () => {
    closeWhen("connected");
    await server.connect();
    expect([server.client.state.kind, server.clock.pending, server.socket.closedWith]).toEqual(["idle", 0, 1000]);
    await server.after(3_600_000);
    expect(server.tokens).toBe(1);
  });

  it("given a listener that closes the client when it waits, when the connection is lost, then it is not made again", async () => {
    closeWhen("waiting");
    (await server.connect()).drop();
    await server.after(60_000);
    expect([server.client.state.kind, server.sockets.length]).toEqual(["idle", 1]);
  });

  it("given a listener of a channel that closes the client, when the connection is lost, then it is not made again", async () => {
    const socket = await server.connect();
    const channel = await subscribed("a");
    channel.on("state", ({ state }) => {
      if (state === "subscribing") void server.client.close();
    });
    socket.drop();
    await server.after(60_000);
    expect([server.client.state.kind, server.sockets.length]).toEqual(["idle", 1]);
  });

  it("given a listener that closes the client when a new connection serves, when a move is complete, then nothing is left", async () => {
    (await server.connect()).goAway(0);
    await server.after(0);
    closeWhen("connected");
    server.socket.welcome();
    expect([server.client.state.kind, server.clock.pending, server.socket.closedWith]).toEqual(["idle", 0, 1000]);
  });

  it("given a listener that closes the client and connects again, when the connection is lost, then there is one new connection", async () => {
    const unlisten = server.client.on("state", ({ kind }) => {
      if (kind !== "waiting") return;
      unlisten();
      void server.client.close();
      void server.client.connect();
    });
    (await server.connect()).drop();
    await server.after(0);
    server.socket.welcome();
    await server.after(20_000);
    expect([server.client.state.kind, server.sockets.length]).toEqual(["connected", 2]);
  });

  it("given a listener of a channel that connects again, when the client is stopped, then connect resolves with the new connection", async () => {
    const socket = await server.connect();
    const channel = await subscribed("a");
    let again: Promise<void> | undefined;
    channel.on("state", ({ state }) => {
      if (state === "unsubscribed") again ??= server.client.connect();
    });
    const kinds: string[] = [];
    server.client.on("state", ({ kind }) => kinds.push(kind));
    socket.drop(4503);
    await server.after(0);
    server.socket.welcome();
    await again;
    expect(kinds).toEqual(["connecting", "connected"]);
  });

  it("given two listeners of which the first connects again, when the client is stopped, then the second hears it in order", async () => {
    const unlisten = server.client.on("state", ({ kind }) => {
      if (kind !== "stopped") return;
      unlisten();
      void server.client.connect().catch(() => undefined);
    });
    const kinds: string[] = [];
    server.client.on("state", ({ kind }) => kinds.push(kind));
    (await server.connect()).drop(4503);
    expect(kinds).toEqual(["connecting", "connected", "stopped", "connecting"]);
  });

  it("given a getToken that closes the client and fails, when it is called, then it is not called again", async () => {
    let calls = 0;
    server = new ScriptedServer({
      getToken: () => {
        calls++;
        void server.client.close();
        throw new Error("logged out");
      },
    });
    const connected = server.client.connect();
    connected.catch(() => undefined);
    await server.after(0);
    await server.after(60_000);
    await expect(connected).rejects.toMatchObject({ code: "CLOSED" });
    expect([calls, server.clock.pending]).toEqual([1, 0]);
  });

  it("given a listener that closes the client when there is no token, when getToken fails, then no timer is left", async () => {
    server = new ScriptedServer({ getToken: () => Promise.reject(new Error("down")) });
    server.client.on("tokenError", () => void server.client.close());
    await expect(Promise.all([server.client.connect(), server.after(0)])).rejects.toMatchObject({ code: "CLOSED" });
    await turn();
    expect(server.clock.pending).toBe(0);
  });

  it("given a listener that closes the client when a token is refused, when a refresh is, then no timer is left", async () => {
    const socket = await server.dial();
    socket.welcome({ tokenExpiresAtMs: 100_000n, heartbeatIntervalMs: 10_000_000 });
    server.client.on("tokenError", () => void server.client.close());
    await server.after(70_000);
    socket.error(socket.asked("refreshToken")[0]?.id ?? 0, "INVALID_TOKEN");
    expect([server.client.state.kind, server.clock.pending]).toEqual(["idle", 0]);
  });
});

describe("the package", () => {
  it("given its version, when the client names itself, then it is that", () => {
    const manifest = JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8")) as {
      name: string;
      version: string;
    };
    expect(SDK_NAME).toBe(`${manifest.name}/${manifest.version}`);
  });

  it("given the index, when it is imported, then it exports exactly its documented values", () => {
    expect(Object.keys(index).toSorted()).toEqual([
      "PmClient",
      "PmClientError",
      "anything",
      "bytes",
      "json",
      "openWebSocket",
      "pageEvents",
      "systemClock",
      "systemRandomness",
    ]);
  });
});
