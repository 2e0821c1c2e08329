import { RecoveryMiss } from "@pm/proto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { at, laggedOf, publicationOf, ScriptedServer, ScriptedSocket, turn } from "../../test/scripted-server.ts";
import type { ClientState } from "../client-state.ts";
import type { NetworkEvent } from "../platform/network-events.ts";
import { PmClientError } from "../pm-client-error.ts";

describe("connecting", () => {
  let server: ScriptedServer;
  let states: ClientState["kind"][];

  beforeEach(() => {
    server = new ScriptedServer();
    states = [];
    server.client.on("state", ({ kind }) => states.push(kind));
  });
  afterEach(() => server.client.close());

  it("given a client, when it connects, then it offers its encoding and its token, and says Hello first", async () => {
    const socket = await server.connect();
    expect([socket.url, socket.protocols]).toEqual(["ws://server/ws", ["pm.v1.proto", "pm.v1.bearer.token-1"]]);
    expect(socket.asked("hello")).toMatchObject([{ id: 0, value: { sessionId: "id-1", sdk: "@pm/client/0.1.0" } }]);
    expect(server.client.state).toMatchObject({ kind: "connected", nodeId: "n", tenantId: "acme", userId: "u-1" });
    expect(states).toEqual(["connecting", "connected"]);
  });

  it("given no welcome for 10 s, when the time is over, then the socket is left and another one opened", async () => {
    const socket = await server.dial();
    socket.open();
    await server.after(10_000);
    expect(socket.closedWith).toBe(1000);
    expect(server.client.state).toMatchObject({ kind: "waiting", closeCode: 1006, afterMs: 250 });
    await server.after(250);
    expect(server.sockets).toHaveLength(2);
  });

  it("given a server that selects another subprotocol, when it opens, then the client stops and says so", async () => {
    const errors: string[] = [];
    server.client.on("error", ({ code }) => errors.push(code));
    (await server.dial()).open("");
    expect([server.client.state.kind, errors]).toEqual(["stopped", ["UNSUPPORTED"]]);
  });

  it("given a frame that cannot be decoded, when it is read, then the connection is left, told, and made anew", async () => {
    const errors: string[] = [];
    server.client.on("error", ({ code }) => errors.push(code));
    const socket = await server.connect();
    socket.sayRaw(Uint8Array.of(0xff).buffer);
    expect([socket.closedWith, errors, server.client.state.kind]).toEqual([4000, ["DECODE_ERROR"], "waiting"]);
  });

  it("given an error that answers nothing, when it comes, then it is told and the connection stays", async () => {
    const errors: unknown[] = [];
    server.client.on("error", ({ code, errorId }) => errors.push([code, errorId]));
    (await server.connect()).error(0, "INVALID_MESSAGE");
    expect([errors, server.client.state.kind]).toEqual([[["INVALID_MESSAGE", "e-1"]], "connected"]);
  });

  it("given a platform that refuses to open sockets, when it connects, then connect rejects and says why", async () => {
    const { client } = new ScriptedServer({
      openSocket: () => {
        throw new SyntaxError("no");
      },
      clock: server.clock,
    });
    const rejected = expect(client.connect()).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await server.after(0);
    await rejected;
  });

  it("given a client that was closed, when a socket that was being opened is welcomed, then nothing comes of it", async () => {
    const socket = await server.dial();
    await server.client.close();
    socket.welcome();
    expect([server.client.state.kind, socket.closedWith]).toEqual(["idle", 1000]);
  });

  it("given a client that was closed in use, when it connects again, then it takes a new token and begins anew", async () => {
    const channel = server.client.channel("project:42");
    const first = await server.connect();
    first.goAway(0);
    await server.after(0);
    server.socket.welcome();
    await server.client.close();
    const socket = await server.connect();
    expect([server.client.state.kind, socket.token]).toEqual(["connected", "token-2"]);
    void channel.subscribe().catch(() => undefined);
    void channel.publish(1).catch(() => undefined);
    await turn();
    expect(socket.received.map(({ body }) => body.case)).toEqual(["hello", "subscribe", "publish"]);
  });

  it("given a channel and a publish that wait, when the client is welcomed, then Hello goes first and the publish last", async () => {
    const socket = await server.dial();
    void server.client
      .channel("project:42")
      .publish(1)
      .catch(() => undefined);
    void server.client
      .channel("project:42")
      .subscribe()
      .catch(() => undefined);
    socket.welcome();
    await turn();
    expect(socket.received.map(({ body }) => body.case)).toEqual(["hello", "subscribe", "publish"]);
  });

  it("given a getToken that is slow, when the client is closed before it answers, then nothing comes of it", async () => {
    const token = Promise.withResolvers<string>();
    const slow = new ScriptedServer({ getToken: () => token.promise });
    const connected = expect(slow.client.connect()).rejects.toMatchObject({ code: "CLOSED" });
    await slow.after(0);
    await slow.client.close();
    await connected;
    token.resolve("late");
    await turn();
    expect([slow.client.state.kind, slow.sockets, slow.clock.pending]).toEqual(["idle", [], 0]);
  });

  it("given a token that is there, when the client is closed in the turn in which it is taken, then no socket is opened", async () => {
    (await server.connect()).drop();
    server.clock.advance(250);
    await server.client.close();
    await turn();
    expect(server.sockets).toHaveLength(1);
  });

  it("given a socket that is not welcomed yet, when the client is closed, then no timer is left", async () => {
    (await server.dial()).open();
    await server.client.close();
    expect(server.clock.pending).toBe(0);
  });

  it("given a second Welcome, and messages without a body, when they come, then they are ignored", async () => {
    const socket = await server.connect();
    socket.welcome();
    socket.say({});
    await turn();
    expect([socket.asked("hello").length, states]).toEqual([1, ["connecting", "connected"]]);
  });

  it("given an answer with a body that is not known, when it comes, then the command is answered", async () => {
    const socket = await server.connect();
    const page = expect(server.client.channel("project:42").history()).rejects.toMatchObject({
      code: "INTERNAL_ERROR",
    });
    await turn();
    socket.say({ replyTo: socket.asked("readHistory")[0]?.id ?? 0 });
    await page;
  });

  it("given a client that is closed while a frame is read, when more is in it, then that is not told", async () => {
    const channel = server.client.channel("project:42");
    const seen: string[] = [];
    channel.on("publication", ({ messageId }) => {
      seen.push(messageId);
      void server.client.close();
    });
    server.client.on("error", ({ code }) => seen.push(code));
    void channel.subscribe().catch(() => undefined);
    const socket = await server.connect();
    socket.subscribed("project:42");
    const error = { body: { case: "error" as const, value: { code: "INVALID_MESSAGE" } } };
    socket.say(publicationOf("project:42", 1), error);
    expect(seen).toEqual(["m-1"]);
  });

  it("given a command, when the client is closed in the same turn, then it is not sent any more", async () => {
    const socket = await server.connect();
    const page = expect(server.client.channel("project:42").history()).rejects.toMatchObject({ code: "CLOSED" });
    await server.client.close();
    await page;
    expect(socket.asked("readHistory")).toEqual([]);
  });

  it("given more channels than a frame may have messages, when the client connects, then they are asked for in two", async () => {
    for (let index = 0; index < 300; index++)
      void server.client
        .channel(`c-${index}`)
        .subscribe()
        .catch(() => undefined);
    expect((await server.connect()).frames).toEqual([256, 45]);
  });

  it("given connect and close one after the other, when all is done, then no timer is left", async () => {
    const connected = server.client.connect();
    await server.client.close();
    await expect(connected).rejects.toMatchObject({ code: "CLOSED" });
    await server.connect();
    await server.client.close();
    expect(server.clock.pending).toBe(0);
  });
});

describe("after a close", () => {
  let server: ScriptedServer;

  beforeEach(() => {
    server = new ScriptedServer();
  });
  afterEach(() => server.client.close());

  it.each([1000, 1002, 1003, 1007, 1008, 4500, 4503, 4777])(
    "given %d, when the server closes with it, then the client stops and says why",
    async (code) => {
      const connected = await server.connect();
      connected.drop(code, "because");
      expect(server.client.state).toMatchObject({
        kind: "stopped",
        error: { code: "STOPPED", closeCode: code, message: `the server closed the connection with ${code}: because` },
      });
      await server.after(60_000);
      expect(server.sockets).toHaveLength(1);
    },
  );

  it("given an Error just before 4503, when the client stops, then the error is what the server said", async () => {
    const socket = await server.dial();
    const connected = server.client.connect();
    socket.open();
    socket.error(0, "TENANT_SUSPENDED");
    socket.drop(4503);
    await expect(connected).rejects.toMatchObject({ code: "TENANT_SUSPENDED", closeCode: 4503, errorId: "e-1" });
  });

  it("given an Error that was not the last word, when the server closes with 4503 later, then it is not the reason", async () => {
    const socket = await server.connect();
    socket.error(0, "INVALID_MESSAGE");
    socket.publication("tenant", 1);
    socket.drop(4503);
    expect(server.client.state).toMatchObject({ kind: "stopped", error: { code: "STOPPED", closeCode: 4503 } });
  });

  it.each([1001, 1005, 1006, 1009, 3999, 4123])(
    "given %d, when the server closes with it, then the client is back after a backoff",
    async (code) => {
      (await server.connect()).drop(code);
      expect(server.client.state).toEqual({ kind: "waiting", afterMs: 250, closeCode: code, reason: "" });
      await server.after(249);
      expect(server.sockets).toHaveLength(1);
      await server.after(1);
      server.socket.welcome();
      expect(server.client.state.kind).toBe("connected");
      expect(server.tokens).toBe(1);
    },
  );

  it("given 4401, when the server closes with it, then a new token is fetched and used at once", async () => {
    (await server.connect()).drop(4401);
    await server.after(0);
    expect([server.sockets.length, server.socket.token, server.tokens]).toEqual([2, "token-2", 2]);
  });

  it("given 4501 twice, when the second token is refused too, then the client stops", async () => {
    (await server.dial()).drop(4501);
    await server.after(0);
    expect(server.socket.token).toBe("token-2");
    server.socket.drop(4501);
    expect(server.client.state).toMatchObject({ kind: "stopped", error: { closeCode: 4501 } });
  });

  it("given 4029 after an Error with a wait, when the server closes, then exactly that is waited", async () => {
    const socket = await server.connect();
    socket.error(0, "RATE_LIMIT_EXCEEDED", { retryable: true, retryAfterMs: 7000 });
    await server.after(1000);
    socket.drop(4029);
    expect(server.client.state).toMatchObject({ kind: "waiting", afterMs: 6000 });
  });

  it.each([
    [4029, 1500],
    [1013, 17_500],
  ])(
    "given %d long after an Error with a wait, when the server closes, then the wait of the code begins",
    async (code, afterMs) => {
      const socket = await server.connect();
      socket.error(0, "RATE_LIMIT_EXCEEDED", { retryable: true, retryAfterMs: 1000 });
      await server.after(1000);
      socket.drop(code);
      expect(server.client.state).toMatchObject({ kind: "waiting", afterMs });
    },
  );

  it.each([0, 4_294_967_295])(
    "given an Error with a wait of %d ms, when the server closes with 4029, then what was said before it counts",
    async (retryAfterMs) => {
      const socket = await server.connect();
      socket.error(0, "RATE_LIMIT_EXCEEDED", { retryable: true, retryAfterMs: 7000 });
      socket.error(0, "RATE_LIMIT_EXCEEDED", { retryAfterMs });
      socket.drop(4029);
      expect(server.client.state).toMatchObject({ kind: "waiting", afterMs: 7000 });
    },
  );

  it("given a client that is old, when its connections are lost young, then waits grow; when it begins again, then from the beginning", async () => {
    const socket = await server.dial();
    socket.welcome({ heartbeatIntervalMs: 10_000_000 });
    await server.after(40_000);
    socket.drop();
    for (const afterMs of [250, 500, 1000]) {
      expect(server.client.state).toMatchObject({ kind: "waiting", afterMs });
      await server.after(afterMs);
      server.socket.welcome();
      server.socket.drop();
    }
    await server.client.close();
    (await server.connect()).drop();
    expect(server.client.state).toMatchObject({ kind: "waiting", afterMs: 250 });
  });

  it("given a stopped client, when it is told to connect, then it begins again", async () => {
    (await server.connect()).drop(4503);
    await server.connect();
    expect(server.client.state.kind).toBe("connected");
  });
});

describe("a connection that is dead", () => {
  it("given silence for the interval, when a Ping is answered, then all is well; when not, the connection is made anew", async () => {
    const server = new ScriptedServer();
    const socket = await server.connect();
    await server.after(25_000);
    const [ping] = socket.asked("ping");
    expect(ping?.id).toBeGreaterThan(0);
    socket.say({ replyTo: ping?.id ?? 0, body: { case: "pong", value: {} } });
    await server.after(24_999);
    expect(socket.asked("ping")).toHaveLength(1);
    await server.after(1);
    expect(socket.asked("ping")).toHaveLength(2);
    await server.after(9999);
    expect(server.client.state.kind).toBe("connected");
    await server.after(1);
    expect(server.client.state).toMatchObject({ kind: "waiting", closeCode: 1006, reason: "no sign of life" });
    await server.client.close();
  });

  it("given a Welcome that names no times, when nothing comes, then it is asked after 25 s and left after 10 s more", async () => {
    const server = new ScriptedServer();
    const socket = await server.dial();
    socket.open();
    socket.say({ body: { case: "welcome", value: { tenantId: "acme", userId: "u-1", tokenExpiresAtMs: 3_600_000n } } });
    await server.after(24_999);
    expect(socket.asked("ping")).toEqual([]);
    await server.after(1);
    expect(socket.asked("ping")).toHaveLength(1);
    await server.after(9999);
    expect(server.client.state.kind).toBe("connected");
    await server.after(1);
    expect(server.client.state.kind).toBe("waiting");
    await server.client.close();
  });

  it("given publications, when they come, then no Ping is sent", async () => {
    const server = new ScriptedServer();
    const socket = await server.connect();
    for (let second = 0; second < 100; second += 20) {
      await server.after(20_000);
      socket.publication("tenant", 1);
    }
    expect(socket.asked("ping")).toEqual([]);
    await server.client.close();
  });
});

describe("events of the network", () => {
  let emit: (event: NetworkEvent) => void;
  let server: ScriptedServer;

  beforeEach(() => {
    server = new ScriptedServer({
      networkEvents: (listener) => {
        emit = listener;
        return () => (emit = () => undefined);
      },
    });
  });
  afterEach(() => server.client.close());

  it.each<NetworkEvent>(["online", "wake"])(
    "given a client that waits, when %s is told, then it connects at once",
    async (event) => {
      (await server.connect()).drop();
      emit(event);
      await turn();
      expect(server.sockets).toHaveLength(2);
      await server.after(250);
      expect(server.sockets).toHaveLength(2);
    },
  );

  it("given a client that waits, when offline is told, then it goes on waiting", async () => {
    (await server.connect()).drop();
    emit("offline");
    await turn();
    expect(server.sockets).toHaveLength(1);
  });

  it("given a getToken that has failed, when the client is online again, then it is asked at once", async () => {
    let calls = 0;
    const offline = new ScriptedServer({
      networkEvents: (listener) => {
        emit = listener;
        return () => undefined;
      },
      getToken: () => {
        if (++calls === 1) throw new Error("offline");
        return "token";
      },
    });
    void offline.client.connect().catch(() => undefined);
    await offline.after(0);
    expect(calls).toBe(1);
    emit("online");
    await turn();
    expect([calls, offline.sockets.length]).toEqual([2, 1]);
    await offline.client.close();
  });

  it("given a client that moves later, as the server told it to, when it is online again, then it goes on waiting", async () => {
    (await server.connect()).goAway(3000);
    emit("online");
    await turn();
    expect(server.sockets).toHaveLength(1);
  });

  it("given two connections, when online is told, then both are asked", async () => {
    void server.client
      .channel("project:42")
      .subscribe()
      .catch(() => undefined);
    const old = await server.connect();
    old.subscribed("project:42");
    old.goAway(0);
    await server.after(0);
    const next = server.socket;
    next.welcome();
    await turn();
    emit("online");
    await turn();
    expect([old.asked("ping").length, next.asked("ping").length]).toEqual([1, 1]);
  });

  it("given a server that wants signs of life within 3 s, when online is told, then the connection is left after that", async () => {
    const socket = await server.dial();
    socket.open();
    const value = { tenantId: "acme", userId: "u-1", tokenExpiresAtMs: 3_600_000n, heartbeatTimeoutMs: 3000 };
    socket.say({ body: { case: "welcome", value } });
    emit("online");
    await server.after(2999);
    expect(server.client.state.kind).toBe("connected");
    await server.after(1);
    expect(server.client.state.kind).toBe("waiting");
  });

  it("given a connection that was asked, when it is asked again before its answer, then there is one question; after it, another", async () => {
    const socket = await server.connect();
    await server.after(23_000);
    emit("online");
    await server.after(4000);
    emit("wake");
    await turn();
    expect(socket.asked("ping")).toHaveLength(1);
    socket.say({ replyTo: socket.asked("ping")[0]?.id ?? 0, body: { case: "pong", value: {} } });
    emit("wake");
    await turn();
    expect(socket.asked("ping")).toHaveLength(2);
    await server.after(5000);
    expect(server.client.state.kind).toBe("waiting");
  });

  it("given a client that waits as the server told it to, when it is online again, then it goes on waiting", async () => {
    const socket = await server.connect();
    socket.error(0, "RATE_LIMIT_EXCEEDED", { retryAfterMs: 7000 });
    socket.drop(4029);
    emit("online");
    await turn();
    expect(server.sockets).toHaveLength(1);
  });

  it.each<NetworkEvent>(["online", "offline", "wake"])(
    "given a connection, when %s is told, then it is asked, and left after 5 s of silence",
    async (event) => {
      const socket = await server.connect();
      emit(event);
      await turn();
      expect(socket.asked("ping")).toHaveLength(1);
      await server.after(5000);
      expect(server.client.state.kind).toBe("waiting");
    },
  );

  it("given a client that connects, is closed and connects again, when it does, then the network is listened to once at a time", async () => {
    let listening = 0;
    const { client } = new ScriptedServer({
      networkEvents: () => {
        listening++;
        return () => listening--;
      },
    });
    for (let round = 0; round < 2; round++) {
      void client.connect().catch(() => undefined);
      void client.connect().catch(() => undefined);
      expect(listening).toBe(1);
      await client.close();
      await client.close();
      expect(listening).toBe(0);
    }
  });

  it("given a client that was closed, when the network is told of, then nothing listens", async () => {
    await server.connect();
    await server.client.close();
    emit("online");
    await server.after(60_000);
    expect(server.sockets).toHaveLength(1);
  });
});

describe("moving after a GoAway", () => {
  let server: ScriptedServer;
  let seen: string[];

  beforeEach(() => {
    server = new ScriptedServer();
    seen = [];
    const channel = server.client.channel("project:42");
    channel.on("publication", ({ messageId }) => seen.push(messageId));
    channel.on("recovered", ({ behind }) => seen.push(`recovered ${behind}`));
    channel.on("missed", ({ reason }) => seen.push(`missed ${reason}`));
    void channel.subscribe().catch(() => undefined);
  });
  afterEach(() => server.client.close());

  /** A connection that was told to go away, and the one that opens beside it. */
  async function move(): Promise<{ old: ScriptedSocket; next: ScriptedSocket }> {
    const old = await server.connect();
    old.subscribed("project:42");
    old.goAway(0);
    await server.after(0);
    return { old, next: server.socket };
  }

  /** The same, when the new one has been welcomed. */
  async function overlap(): Promise<{ old: ScriptedSocket; next: ScriptedSocket }> {
    const { old, next } = await move();
    next.welcome();
    await turn();
    return { old, next };
  }

  it("given a hint, when it has passed, then the old connection serves until the new one has brought everything, and nothing comes twice", async () => {
    const old = await server.connect();
    old.subscribed("project:42");
    old.publication("project:42", 1);
    old.goAway(3000);
    await server.after(2999);
    expect(server.sockets).toHaveLength(1);
    await server.after(1);
    const next = server.socket;
    expect(server.sockets).toHaveLength(2);
    next.welcome({ connectionId: "c-2" });
    await turn();
    expect(next.asked("subscribe")).toMatchObject([{ value: { since: at(1) } }]);
    old.publication("project:42", 2);
    next.subscribed("project:42", { top: at(3) });
    expect(old.closedWith).toBeUndefined();
    next.publication("project:42", 2);
    old.publication("project:42", 3);
    expect(old.closedWith).toBe(1000);
    next.publication("project:42", 3);
    next.publication("project:42", 4);
    expect(seen).toEqual(["m-1", "m-2", "recovered 1", "m-3", "m-4"]);
    expect(server.client.state).toMatchObject({ kind: "connected", connectionId: "c-2" });
  });

  it("given publishes on their way, when the new connection has caught up, then it takes over after their answers", async () => {
    const old = await server.connect();
    old.subscribed("project:42");
    const channel = server.client.channel("project:42");
    const first = channel.publish(1);
    await turn();
    old.goAway(0);
    await server.after(0);
    const next = server.socket;
    next.welcome();
    await turn();
    next.subscribed("project:42");
    const second = channel.publish(2);
    await turn();
    expect([old.closedWith, old.asked("publish").length, next.asked("publish").length]).toEqual([undefined, 1, 0]);
    old.publishedFrom(1);
    await turn();
    expect([old.closedWith, next.asked("publish").length]).toEqual([1000, 1]);
    next.publishedFrom(2);
    expect([(await first).position.offset, (await second).position.offset]).toEqual([1, 2]);
  });

  it("given a new connection that is refused, when the old one is closed with 1012, then it was kept until then, and the tries go on", async () => {
    const { old } = await move();
    for (let refusal = 0; refusal < 3; refusal++) {
      server.socket.drop(1006);
      old.publication("project:42", refusal + 1);
      await server.after(20_000);
      old.say({ body: { case: "pong", value: {} } });
    }
    expect(seen).toEqual(["m-1", "m-2", "m-3"]);
    expect([old.closedWith, server.client.state.kind]).toEqual([undefined, "connected"]);
    old.drop(1012);
    expect(server.client.state.kind).toBe("connecting");
    server.socket.welcome();
    await turn();
    expect(server.socket.asked("subscribe")).toMatchObject([{ value: { since: at(3) } }]);
  });

  it("given 1012 before the hint has passed, when the old connection is gone, then what is left of it is waited", async () => {
    const old = await server.connect();
    old.goAway(3000);
    await server.after(1000);
    old.drop(1012);
    await server.after(1999);
    expect(server.sockets).toHaveLength(1);
    await server.after(1);
    expect(server.sockets).toHaveLength(2);
  });

  it("given a new connection that is lost before it has caught up, when it is, then the old one serves on and another is made", async () => {
    const { old } = await move();
    server.socket.welcome();
    await turn();
    server.socket.drop(1006);
    old.publication("project:42", 1);
    await server.after(250);
    expect([seen, server.sockets.length, old.closedWith]).toEqual([["m-1"], 3, undefined]);
    await turn();
    server.socket.welcome();
    await turn();
    server.socket.subscribed("project:42");
    expect(old.closedWith).toBe(1000);
  });

  it("given a publish that waits for the move, when the new connection is lost, then it goes over the old one, and so does history", async () => {
    const { old, next } = await overlap();
    const channel = server.client.channel("project:42");
    void channel.publish(1).catch(() => undefined);
    await turn();
    next.subscribed("project:42");
    void channel.publish(2).catch(() => undefined);
    await turn();
    expect([old.asked("publish").length, old.closedWith]).toEqual([1, undefined]);
    next.drop();
    await turn();
    expect(old.asked("publish")).toHaveLength(2);
    void channel.publish(3).catch(() => undefined);
    void channel.history().catch(() => undefined);
    await turn();
    expect([old.asked("publish").length, old.asked("readHistory").length]).toEqual([3, 1]);
  });

  it("given a channel that was subscribed to during a move, when the new connection is lost, then the old one is asked for it", async () => {
    const { old, next } = await overlap();
    const later = server.client.channel("later");
    void later.subscribe().catch(() => undefined);
    await turn();
    next.subscribed("later", { position: at(4), top: at(4) });
    expect(later.state).toBe("subscribed");
    next.drop(1011);
    await turn();
    expect(later.state).toBe("subscribing");
    expect(old.asked("subscribe").map(({ value }) => value)).toMatchObject([
      { channel: "project:42" },
      { channel: "later", since: at(4) },
    ]);
    old.subscribed("later");
    old.publication("later", 5);
    expect(later.position?.offset).toBe(5);
  });

  it("given an old connection that is lost while the new one catches up, when it is, then the new one serves at once", async () => {
    const { old, next } = await overlap();
    const published = server.client.channel("project:42").publish(1);
    old.drop(1012);
    await turn();
    expect(server.client.state.kind).toBe("connected");
    next.subscribed("project:42");
    await turn();
    next.publishedFrom(1);
    await expect(published).resolves.toMatchObject({ messageId: "m-1" });
    expect(server.sockets).toHaveLength(2);
  });

  it("given a new server with a log of its own, when it says so, then the old one is not listened to any more", async () => {
    const old = await server.connect();
    old.subscribed("project:42");
    old.publication("project:42", 1);
    old.goAway(0);
    await server.after(0);
    const next = server.socket;
    next.welcome();
    await turn();
    next.subscribed("project:42", {
      position: at(7, "e2"),
      top: at(7, "e2"),
      recovered: false,
      miss: RecoveryMiss.EPOCH_CHANGED,
    });
    old.publication("project:42", 8);
    next.publication("project:42", 8);
    expect(seen).toEqual(["m-1", "missed EPOCH_CHANGED", "m-8"]);
    expect(old.closedWith).toBe(1000);
  });

  it("given two GoAway one after the other, when the second comes from the new connection, then the client moves again", async () => {
    const { old, next } = await move();
    next.welcome();
    next.goAway(500);
    await turn();
    next.subscribed("project:42");
    expect(old.closedWith).toBe(1000);
    await server.after(500);
    expect(server.sockets).toHaveLength(3);
  });

  it("given servers that all go away at once, when the client moves from one to the next, then it does not hurry", async () => {
    const { next } = await move();
    for (const [index, waitMs] of [250, 500, 1000].entries()) {
      const newest = index === 0 ? next : server.socket;
      newest.welcome();
      newest.goAway(0);
      await turn();
      newest.subscribed("project:42");
      await server.after(waitMs - 1);
      expect(server.sockets).toHaveLength(index + 2);
      await server.after(1);
      expect(server.sockets).toHaveLength(index + 3);
    }
  });

  it("given a new connection that is refused for good, when the old one is lost later, then the client connects as if nothing had been", async () => {
    const { old, next } = await move();
    next.drop(4503);
    await server.after(20_000);
    expect([server.client.state.kind, server.sockets.length, old.closedWith]).toEqual(["connected", 2, undefined]);
    old.drop();
    expect(server.client.state.kind).toBe("waiting");
    await server.after(20_000);
    expect(server.sockets).toHaveLength(3);
  });

  it("given a new connection whose token is refused, when getToken says unauthorized, then the client stops", async () => {
    let calls = 0;
    const other = new ScriptedServer({
      getToken: () => {
        if (++calls === 2) throw PmClientError.unauthorized("logged out");
        return "token";
      },
    });
    const old = await other.connect();
    old.goAway(0);
    await other.after(0);
    other.socket.drop(4401);
    await other.after(0);
    expect(other.client.state).toMatchObject({ kind: "stopped", error: { code: "UNAUTHORIZED" } });
    expect([old.closedWith, other.clock.pending]).toEqual([1000, 0]);
  });

  it("given a platform that refuses a second socket, when the client is to move, then that is told, and the old connection serves on", async () => {
    const errors: string[] = [];
    const sockets: ScriptedSocket[] = [];
    const other = new ScriptedServer({
      openSocket: (url, protocols, listener) => {
        if (sockets.length === 1) {
          sockets.push(...sockets);
          throw new SyntaxError("no");
        }
        const socket = new ScriptedSocket(url, protocols, listener);
        sockets.push(socket);
        return socket;
      },
    });
    other.client.on("error", ({ code }) => errors.push(code));
    void other.client.connect().catch(() => undefined);
    await other.after(0);
    const [old] = sockets;
    old?.welcome();
    old?.goAway(0);
    await other.after(0);
    expect([errors, other.client.state.kind]).toEqual([["UNSUPPORTED"], "connected"]);
    old?.drop();
    await other.after(20_000);
    expect(sockets).toHaveLength(3);
    await other.client.close();
  });

  it("given GoAway that is said again, when the new connection is there already, then no other is made", async () => {
    const { old } = await overlap();
    old.goAway(0);
    await server.after(1000);
    expect(server.sockets).toHaveLength(2);
  });

  it("given a move that is complete, when Lagged comes, then it is told", async () => {
    const { next } = await overlap();
    const lagged: unknown[] = [];
    server.client.channel("project:42").on("lagged", ({ count }) => lagged.push(count));
    next.subscribed("project:42");
    next.say(laggedOf("project:42", at(5), 5));
    expect(lagged).toEqual([5]);
  });

  it("given Lagged on the old connection, when the new one delivers already, then it does not count", async () => {
    const { old, next } = await overlap();
    next.subscribed("project:42", { top: at(9) });
    old.say(laggedOf("project:42", at(5), 5), publicationOf("project:42", 6));
    next.say(publicationOf("project:42", 1), publicationOf("project:42", 2));
    expect(seen).toEqual(["recovered 9", "m-1", "m-2"]);
  });

  it("given Lagged on the new connection, when the old one delivers still, then the new one is asked again from where the client is", async () => {
    const { old, next } = await overlap();
    next.subscribed("project:42", { top: at(9) });
    next.say(laggedOf("project:42", at(2), 2));
    old.say(publicationOf("project:42", 1), publicationOf("project:42", 2), publicationOf("project:42", 3));
    await turn();
    expect(next.asked("subscribe")).toMatchObject([{ value: { since: at(0) } }, { value: { since: at(0) } }]);
    next.subscribed("project:42", { position: at(2), top: at(4), recovered: false, miss: RecoveryMiss.RETENTION });
    next.say(publicationOf("project:42", 3), publicationOf("project:42", 4));
    expect(seen).toEqual(["recovered 9", "m-1", "m-2", "m-3", "recovered 1", "m-4"]);
    expect(old.closedWith).toBe(1000);
  });

  it("given a new epoch on the old connection, when the answer of the new one is of before, then it is asked again and nothing comes twice", async () => {
    const { old, next } = await overlap();
    old.say(publicationOf("project:42", 1), laggedOf("project:42", at(0, "e2")));
    next.subscribed("project:42", { top: at(1) });
    next.say(publicationOf("project:42", 1));
    await turn();
    expect(next.asked("subscribe").at(-1)).toMatchObject({ value: { since: at(0, "e2") } });
    next.subscribed("project:42");
    next.say(publicationOf("project:42", 1));
    expect(seen).toEqual(["m-1", "recovered 0", "m-1"]);
    expect(server.client.channel("project:42").position).toEqual({ epoch: "e2", offset: 1, check: 1001 });
  });

  it("given a channel that the old connection has not answered for, when the new one joins, then the new one goes on where the first answer says", async () => {
    const old = await server.connect();
    old.goAway(0);
    await server.after(0);
    const next = server.socket;
    next.welcome();
    await turn();
    old.subscribed("project:42", { position: at(3), top: at(3) });
    old.publication("project:42", 4);
    await turn();
    expect(next.asked("subscribe").at(-1)).toMatchObject({ value: { since: at(3) } });
    next.subscribed("project:42", { top: at(5) });
    next.say(publicationOf("project:42", 4), publicationOf("project:42", 5));
    expect(seen).toEqual(["m-4", "recovered 1", "m-5"]);
  });

  it("given several publications in one frame, when some were seen over the other connection, then each is delivered once", async () => {
    const { old, next } = await overlap();
    old.say(publicationOf("project:42", 1), publicationOf("project:42", 2));
    next.subscribed("project:42", { top: at(3) });
    next.say(publicationOf("project:42", 1), publicationOf("project:42", 2), publicationOf("project:42", 3));
    expect(seen).toEqual(["m-1", "m-2", "recovered 1", "m-3"]);
  });
});
