import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as index from "./index.ts";
import { ScriptedServer } from "../test/scripted-server.ts";
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
    ["no getToken", { url: "ws://server/ws", getToken: undefined as never }, "getToken is not a function"],
  ])("given %s, when a client is made, then it is refused and says which option", (_, options, message) => {
    expect(() => new PmClient(options)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT", message }));
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

  it.each(["", "a b", "ä", "a".repeat(201), "a\n"])(
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
