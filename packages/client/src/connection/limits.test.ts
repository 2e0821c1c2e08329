import { afterEach, describe, expect, it } from "vitest";
import { ScriptedServer, turn } from "../../test/scripted-server.ts";
import type { PmClientError } from "../pm-client-error.ts";
import { encodeElement } from "../wire/frame-codec.ts";

const SINCE = { epoch: "e".repeat(64), offset: 1, check: 1 };

describe("messages that are larger than the server takes", () => {
  let server: ScriptedServer;

  afterEach(() => server.client.close());

  async function connect(options: ConstructorParameters<typeof ScriptedServer>[0] = {}): Promise<void> {
    server = new ScriptedServer(options);
    (await server.dial()).welcome({ maxMessageBytes: 60, tokenExpiresAtMs: 100_000n, heartbeatIntervalMs: 1e7 });
    await turn();
  }

  it("given channels that were wanted before, when one cannot be asked for, then it fails and the others are served", async () => {
    server = new ScriptedServer();
    const long = server.client.channel("long").subscribe({ since: SINCE });
    const failed = expect(long).rejects.toMatchObject({ code: "MESSAGE_TOO_LARGE", errorId: undefined });
    void server.client
      .channel("good")
      .subscribe()
      .catch(() => undefined);
    (await server.dial()).welcome({ maxMessageBytes: 60 });
    await failed;
    server.socket.subscribed("good");
    expect([server.client.channel("long").state, server.client.channel("good").state]).toEqual([
      "unsubscribed",
      "subscribed",
    ]);
  });

  it("given a page of history, when it cannot be asked for, then that is told once, and not asked on the next connection", async () => {
    await connect();
    const page = server.client.channel("project:42").history({ since: SINCE });
    await expect(page).rejects.toMatchObject({ code: "MESSAGE_TOO_LARGE" });
    server.socket.drop();
    await server.after(250);
    server.socket.welcome();
    await turn();
    expect([server.client.state.kind, server.socket.asked("readHistory")]).toEqual(["connected", []]);
  });

  it("given a new token, when it cannot be sent, then that is told, and it is tried again", async () => {
    const tokens: string[] = [];
    const getToken = (): string => {
      tokens.push("t".repeat(80));
      return tokens.at(-1) ?? "";
    };
    await connect({ getToken });
    const errors: PmClientError[] = [];
    server.client.on("tokenError", (error) => errors.push(error));
    await server.after(70_000);
    expect(errors).toMatchObject([{ code: "MESSAGE_TOO_LARGE" }]);
    await server.after(1000);
    expect([errors.length, tokens.length, server.client.state.kind]).toEqual([2, 3, "connected"]);
  });

  it("given frames that are smaller than messages may be, when something is sent, then it fits them, or is refused", async () => {
    server = new ScriptedServer();
    const socket = await server.dial();
    socket.open();
    const limits = { maxMessageBytes: 1000, maxFrameBytes: 100 };
    socket.say({ body: { case: "welcome", value: { tenantId: "acme", userId: "u-1", limits } } });
    await turn();
    const channel = server.client.channel("c");
    for (let count = 0; count < 4; count++) void channel.publish("x".repeat(20)).catch(() => undefined);
    await expect(channel.publish("x".repeat(100))).rejects.toMatchObject({ code: "MESSAGE_TOO_LARGE" });
    expect(socket.frames).toEqual([1, 2, 2]);
  });

  it("given a message that is just as large as the server takes, when it is published, then it is sent; one byte more, and it is refused", async () => {
    const idempotencyKey = "k";
    const value = {
      channel: "c",
      payload: { kind: { kind: "json", value: `"${"x".repeat(50)}"` } },
      idempotencyKey,
    } as const;
    const size = encodeElement({ id: 1, body: { kind: "publish", value } }, "proto").length;
    server = new ScriptedServer();
    (await server.dial()).welcome({ maxMessageBytes: size });
    const channel = server.client.channel("c");
    void channel.publish("x".repeat(50), { idempotencyKey }).catch(() => undefined);
    const refused = channel.publish("x".repeat(51), { idempotencyKey });
    await expect(refused).rejects.toMatchObject({
      message: `the message has ${size + 1} bytes (at most ${size})`,
    });
    expect(server.socket.asked("publish")).toHaveLength(1);
  });

  it("given a Welcome whose sizes are 0, when something is sent, then they count as not said", async () => {
    server = new ScriptedServer();
    const socket = await server.dial();
    socket.open();
    socket.say({ body: { case: "welcome", value: { tenantId: "acme", userId: "u-1", limits: {} } } });
    void server.client
      .channel("project:42")
      .publish(1)
      .catch(() => undefined);
    await turn();
    expect(socket.asked("publish")).toHaveLength(1);
  });
});
