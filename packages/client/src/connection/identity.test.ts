import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ScriptedServer, turn } from "../../test/scripted-server.ts";
import type { PmClientError } from "../pm-client-error.ts";

describe("whose a client is", () => {
  let server: ScriptedServer;

  beforeEach(() => {
    server = new ScriptedServer();
  });
  afterEach(() => server.client.close());

  it.each([{ tenantId: "globex" }, { userId: "u-2" }])(
    "given publishes that wait, when the next connection is of %j, then the client stops and nothing goes out in that name",
    async (other) => {
      const socket = await server.connect();
      const channel = server.client.channel("project:42");
      const sent = channel.publish(1).catch(({ code }: PmClientError) => code);
      await turn();
      socket.drop();
      const unsent = channel.publish(2).catch(({ code }: PmClientError) => code);
      await server.after(250);
      server.socket.welcome(other);
      await turn();
      expect(await Promise.all([sent, unsent])).toEqual(["OUTCOME_UNKNOWN", "IDENTITY_CHANGED"]);
      expect(server.client.state).toMatchObject({ kind: "stopped", error: { code: "IDENTITY_CHANGED" } });
      expect([server.socket.closedWith, server.socket.received]).toEqual([1000, []]);
      await server.after(60_000);
      expect(server.sockets).toHaveLength(2);
    },
  );

  it("given a move, when the new connection is of another user, then both are left", async () => {
    const old = await server.connect();
    old.goAway(0);
    await server.after(0);
    server.socket.welcome({ userId: "u-2" });
    expect([old.closedWith, server.socket.closedWith, server.client.state.kind]).toEqual([1000, 1000, "stopped"]);
  });

  it("given a client that was closed, when it connects as somebody else, then it is theirs", async () => {
    await server.connect();
    await server.client.close();
    (await server.dial()).welcome({ userId: "u-2" });
    expect(server.client.state).toMatchObject({ kind: "connected", userId: "u-2" });
  });
});
