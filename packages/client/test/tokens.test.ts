import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { TokenReason } from "../src/index.ts";
import { DeliveryRecord } from "./delivery-record.ts";
import { PmServerProcess, signToken } from "./pm-server.ts";
import { realClient, whenState } from "./real-client.ts";

/** The server lets a token live for 30 s more: only a longer test sees a connection that outlives its first token. */
const LOAD_MS = process.env["SOAK"] === "1" ? 60_000 : 15_000;
const TOKEN_SECS = 5;

describe("tokens of the real server", () => {
  it("given tokens of 5 s, when time goes on, then each is refreshed in place and nobody subscribes again", {
    timeout: LOAD_MS + 20_000,
  }, async () => {
    await using server = await PmServerProcess.start();
    const reasons: TokenReason[] = [];
    const getToken = (request: { reason: TokenReason }): Promise<string> => {
      reasons.push(request.reason);
      return signToken({ expiresIn: TOKEN_SECS });
    };
    await using client = realClient(server.url, { getToken });
    const errors: unknown[] = [];
    client.on("tokenError", (error) => errors.push(error));
    client.on("error", (error) => errors.push(error));
    const states: unknown[] = [];
    client.on("state", (state) => states.push(state.kind));
    const channel = client.channel("project:42");
    const record = new DeliveryRecord(channel);
    await client.connect();
    await channel.subscribe();
    let count = 0;
    for (const endMs = Date.now() + LOAD_MS; Date.now() < endMs; count++) {
      await channel.publish(count);
      await sleep(200);
    }
    await record.reached(count);
    expect([errors, states, record.states]).toEqual([[], ["connecting", "connected"], ["subscribing", "subscribed"]]);
    const [first, ...rest] = reasons;
    expect([first, new Set(rest)]).toEqual(["connect", new Set(["refresh"])]);
    // The seconds of a token are whole ones: up to one of its five is over when it is signed.
    expect(rest.length).toBeGreaterThanOrEqual(Math.floor(LOAD_MS / (TOKEN_SECS * 1000)));
    expect(rest.length).toBeLessThanOrEqual(Math.ceil(LOAD_MS / ((TOKEN_SECS - 1) * 650)));
  });

  it("given a token that cannot be refreshed in time, when the server closes with 4401, then a new one is fetched and delivery goes on", async () => {
    await using server = await PmServerProcess.start();
    const reasons: TokenReason[] = [];
    await using client = realClient(server.url, {
      getToken: ({ reason }) => {
        reasons.push(reason);
        if (reason === "refresh") throw new Error("not now");
        return signToken({ expiresIn: reason === "connect" ? -28 : 600 });
      },
    });
    const channel = client.channel("project:42");
    const record = new DeliveryRecord(channel);
    await client.connect();
    await channel.subscribe();
    await whenState(client, "waiting");
    expect(client.state).toMatchObject({ closeCode: 4401, afterMs: 0 });
    await whenState(client, "connected");
    expect(new Set(reasons)).toEqual(new Set(["connect", "refresh", "expired"]));
    await channel.publish("after");
    await record.reached(1);
    expect([record.misses, record.recoveries]).toEqual([[], 1]);
  });

  it("given a token of another user, when it is refreshed, then the server closes with 4501 and the client stops, until it is told to connect as that user", async () => {
    await using server = await PmServerProcess.start();
    const users = ["u-1", "u-2", "u-2"];
    await using client = realClient(server.url, {
      getToken: () => signToken({ user: users.shift() ?? "u-2", expiresIn: 2 }),
    });
    await client.connect();
    await whenState(client, "waiting");
    expect(client.state).toMatchObject({ closeCode: 4501 });
    await whenState(client, "stopped");
    expect(client.state).toMatchObject({ error: { code: "IDENTITY_CHANGED" } });
    await client.connect();
    expect(client.state).toMatchObject({ userId: "u-2" });
  });

  it("given a token that is none, when the client connects, then it asks for another one once and stops", async () => {
    await using server = await PmServerProcess.start();
    const reasons: TokenReason[] = [];
    await using client = realClient(server.url, {
      getToken: ({ reason }) => {
        reasons.push(reason);
        return "not.a.token";
      },
    });
    await expect(client.connect()).rejects.toMatchObject({ code: "INVALID_TOKEN", closeCode: 4501 });
    expect(reasons).toEqual(["connect", "refused"]);
  });

  it("given grants that a refresh takes away, when the server ends the subscription, then the channel says why", async () => {
    await using server = await PmServerProcess.start();
    const all = [{ pattern: "*", allow: ["subscribe"] }];
    const grants = [all, [{ pattern: "other", allow: ["subscribe"] }]];
    await using client = realClient(server.url, {
      getToken: () => signToken({ expiresIn: 2, channels: grants.shift() ?? all }),
    });
    const channel = client.channel("project:42");
    await client.connect();
    await channel.subscribe();
    await expect(channel[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    await expect(channel.publish(1)).rejects.toMatchObject({ code: "PERMISSION_DENIED", field: "project:42" });
  });
});
