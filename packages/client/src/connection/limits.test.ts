import { afterEach, describe, expect, it } from "vitest";
import { ScriptedServer, turn } from "../../test/scripted-server.ts";
import type { PmClientError } from "../pm-client-error.ts";

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
