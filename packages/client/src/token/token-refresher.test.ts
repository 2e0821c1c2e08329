import { afterEach, describe, expect, it } from "vitest";
import { ScriptedServer, type ScriptedSocket, turn } from "../../test/scripted-server.ts";
import { PmClientError } from "../pm-client-error.ts";

/** Answers the last RefreshToken: the new token lives for so long. */
function refreshed(socket: ScriptedSocket, livesMs: number): void {
  const question = socket.asked("refreshToken").at(-1);
  const value = { tokenExpiresAtMs: 5_000_000n + BigInt(livesMs), serverTimeMs: 5_000_000n };
  socket.say({ replyTo: question?.id ?? 0, body: { case: "tokenRefreshed", value } });
}

/** A token that lives for 100 s by the clock of the server, on a connection that needs no signs of life. */
const WELCOME = { tokenExpiresAtMs: 100_000n, heartbeatIntervalMs: 10_000_000 };

describe("TokenRefresher", () => {
  let server: ScriptedServer;

  afterEach(() => server.client.close());

  async function connect(options: ConstructorParameters<typeof ScriptedServer>[0] = {}): Promise<ScriptedSocket> {
    server = new ScriptedServer(options);
    const socket = await server.dial();
    socket.welcome(WELCOME);
    return socket;
  }

  it("given a token of 100 s, when 70 % of its life are over, then it is refreshed in place, and so on", async () => {
    const socket = await connect();
    await server.after(69_999);
    expect(server.tokens).toBe(1);
    await server.after(1);
    expect(socket.asked("refreshToken")).toMatchObject([{ value: { token: "token-2" } }]);
    refreshed(socket, 10_000);
    await server.after(7000);
    expect(socket.asked("refreshToken")).toHaveLength(2);
    expect([server.sockets.length, server.tokens]).toEqual([1, 3]);
  });

  it("given chance, when the time of the refresh is drawn, then it is between 65 % and 75 % of the life", async () => {
    for (const [fraction, due] of [
      [0, 75_000],
      [1, 65_000],
    ] as const) {
      server = new ScriptedServer();
      server.fraction = fraction;
      (await server.dial()).welcome(WELCOME);
      server.clock.advance(due - 1);
      await turn();
      expect(server.tokens).toBe(1);
      await server.after(1);
      expect(server.tokens).toBe(2);
      await server.client.close();
    }
  });

  it("given a token that has expired already, when it is welcomed, then refreshes are a second apart", async () => {
    const socket = await connect();
    await server.after(70_000);
    for (let refresh = 1; refresh <= 3; refresh++) {
      expect(socket.asked("refreshToken")).toHaveLength(refresh);
      refreshed(socket, -5000);
      await server.after(999);
      expect(socket.asked("refreshToken")).toHaveLength(refresh);
      await server.after(1);
    }
  });

  it("given a refresh that is refused, when it is told, then it is tried again with jitter and the connection stays", async () => {
    const errors: string[] = [];
    const socket = await connect();
    server.client.on("tokenError", ({ code }) => errors.push(code));
    await server.after(70_000);
    socket.error(socket.asked("refreshToken")[0]?.id ?? 0, "INVALID_TOKEN");
    expect([errors, server.client.state.kind]).toEqual([["INVALID_TOKEN"], "connected"]);
    await server.after(749);
    expect(server.tokens).toBe(2);
    await server.after(1);
    expect(socket.asked("refreshToken").at(-1)).toMatchObject({ value: { token: "token-3" } });
  });

  it("given refusals one after the other, when they are told, then the pauses grow, until a token is taken or another connection stands", async () => {
    let socket = await connect();
    const refuse = (): void => socket.error(socket.asked("refreshToken").at(-1)?.id ?? 0, "INVALID_TOKEN");
    async function expectPause(pauseMs: number): Promise<void> {
      const asked = socket.asked("refreshToken").length;
      refuse();
      await server.after(pauseMs - 1);
      expect(socket.asked("refreshToken")).toHaveLength(asked);
      await server.after(1);
      expect(socket.asked("refreshToken")).toHaveLength(asked + 1);
    }
    await server.after(70_000);
    for (const pauseMs of [750, 1000, 1500]) await expectPause(pauseMs);
    refreshed(socket, 100_000);
    await server.after(70_000);
    for (const pauseMs of [750, 1000]) await expectPause(pauseMs);
    socket.drop();
    await server.after(250);
    socket = server.socket;
    socket.welcome(WELCOME);
    await server.after(70_000);
    await expectPause(750);
  });

  it("given a refusal that names a wait, when it is told, then that is waited", async () => {
    const socket = await connect();
    await server.after(70_000);
    const [question] = socket.asked("refreshToken");
    socket.error(question?.id ?? 0, "RATE_LIMIT_EXCEEDED", { retryable: true, retryAfterMs: 5000 });
    await server.after(4999);
    expect(socket.asked("refreshToken")).toHaveLength(1);
    await server.after(1);
    expect(socket.asked("refreshToken")).toHaveLength(2);
  });

  it("given no answer to a refresh, when its time is over, then that is told and it is tried again", async () => {
    const errors: string[] = [];
    const socket = await connect();
    server.client.on("tokenError", ({ code }) => errors.push(code));
    await server.after(70_000);
    await server.after(30_000);
    expect(errors).toEqual(["TIMEOUT"]);
    await server.after(750);
    expect(socket.asked("refreshToken")).toHaveLength(2);
  });

  it("given a refresh whose answer is lost with the connection, when there is no other yet, then no token is fetched for it", async () => {
    const socket = await connect();
    await server.after(70_000);
    socket.drop();
    await server.after(250);
    await server.after(5000);
    expect(server.tokens).toBe(2);
  });

  it("given a getToken that fails, when a token is due, then that is an event and the connection stays", async () => {
    let calls = 0;
    const errors: string[] = [];
    const socket = await connect({
      getToken: () => {
        if (++calls === 2) throw new Error("down");
        return `token-${calls}`;
      },
    });
    server.client.on("tokenError", ({ code }) => errors.push(code));
    await server.after(70_000);
    expect([errors, server.client.state.kind]).toEqual([["TOKEN_FAILED"], "connected"]);
    await server.after(20_000);
    expect(socket.asked("refreshToken")).toMatchObject([{ value: { token: "token-3" } }]);
  });

  it("given a getToken that says unauthorized, when a token is due, then the client stops", async () => {
    let calls = 0;
    const socket = await connect({
      getToken: () => {
        if (++calls === 2) throw PmClientError.unauthorized("logged out");
        return "token";
      },
    });
    await server.after(70_000);
    expect(server.client.state).toMatchObject({
      kind: "stopped",
      error: { code: "UNAUTHORIZED", message: "logged out" },
    });
    expect(socket.closedWith).toBe(1000);
    expect(server.clock.pending).toBe(0);
  });

  it("given a connection that is lost, when the next one stands, then its token is watched and the old one is not", async () => {
    const socket = await connect();
    socket.drop();
    await server.after(250);
    server.socket.welcome(WELCOME);
    await server.after(69_999);
    expect(server.tokens).toBe(1);
    await server.after(1);
    expect(server.socket.asked("refreshToken")).toHaveLength(1);
  });

  it("given a token that has gone stale while away, when the client connects again, then it takes a new one first", async () => {
    const socket = await connect();
    await server.after(69_000);
    socket.drop(4029);
    await server.after(1500);
    expect([server.socket.token, server.tokens]).toEqual(["token-2", 2]);
  });
});
