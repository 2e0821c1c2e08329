import { RecoveryMiss } from "@pm/proto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { at, laggedOf, publicationOf, ScriptedServer, type ScriptedSocket, turn } from "../../test/scripted-server.ts";
import type { Channel } from "./channel.ts";

describe("Subscription", () => {
  let server: ScriptedServer;
  let channel: Channel;
  let events: string[];

  beforeEach(() => {
    server = new ScriptedServer();
    channel = server.client.channel("project:42");
    events = [];
    channel.on("publication", ({ messageId }) => events.push(messageId));
    channel.on("recovered", ({ behind }) => events.push(`recovered ${behind}`));
    channel.on("missed", ({ reason }) => events.push(`missed ${reason}`));
  });
  afterEach(() => server.client.close());

  /** Two connections: one that delivers and was told to go away, and the next, which has been asked. */
  async function overlap(): Promise<{ readonly old: ScriptedSocket; readonly next: ScriptedSocket }> {
    const old = await server.subscribe(channel);
    old.goAway(0);
    await server.after(0);
    server.socket.welcome();
    await turn();
    return { old, next: server.socket };
  }

  function refuse(socket: ScriptedSocket, kind: "subscribe" | "unsubscribe"): void {
    socket.error(socket.asked(kind).at(-1)?.id ?? 0, "UNAVAILABLE", { retryable: true });
  }

  it("given a subscribed channel, when the connection is lost, then it is not subscribed any more", async () => {
    (await server.subscribe(channel)).drop();
    expect(channel.state).toBe("subscribing");
  });

  it("given a channel that was left, when it is subscribed to again, then it begins from now on, with nothing of before", async () => {
    const missed: unknown[] = [];
    channel.on("publication", ({ missedBefore }) => missed.push(missedBefore));
    const socket = await server.subscribe(channel);
    socket.say(laggedOf("project:42", at(3), 3));
    channel.unsubscribe();
    void channel.subscribe().catch(() => undefined);
    await turn();
    expect(socket.asked("subscribe").at(-1)?.value.since).toBeUndefined();
    socket.subscribed("project:42", { position: at(7), top: at(7) });
    socket.publication("project:42", 8);
    expect([events, missed]).toEqual([["m-8"], [undefined]]);
  });

  it("given disagreements that are each mended, when there is one more, then it is asked again at once", async () => {
    const socket = await server.subscribe(channel);
    for (let offset = 1; offset <= 5; offset++) {
      socket.publication("project:42", offset + 7);
      await turn();
      expect(socket.asked("subscribe")).toHaveLength(offset + 1);
      socket.subscribed("project:42");
      socket.publication("project:42", offset);
    }
  });

  it("given refusals for as long as nobody knows, when they follow each other, then the pauses grow, until there is an answer", async () => {
    void channel.subscribe().catch(() => undefined);
    let socket = await server.connect();
    for (const pauseMs of [175, 300, 550]) {
      const asked = socket.asked("subscribe").length;
      refuse(socket, "subscribe");
      await server.after(pauseMs - 1);
      expect(socket.asked("subscribe")).toHaveLength(asked);
      await server.after(1);
      expect(socket.asked("subscribe")).toHaveLength(asked + 1);
    }
    socket.subscribed("project:42");
    socket.drop();
    socket = await server.reconnect();
    refuse(socket, "subscribe");
    await server.after(175);
    expect(socket.asked("subscribe")).toHaveLength(2);
  });

  it("given chance, when a refusal names no wait, then it is at least 50 ms", async () => {
    server.fraction = 0;
    void channel.subscribe().catch(() => undefined);
    const socket = await server.connect();
    refuse(socket, "subscribe");
    await server.after(49);
    expect(socket.asked("subscribe")).toHaveLength(1);
    await server.after(1);
    expect(socket.asked("subscribe")).toHaveLength(2);
  });

  it("given a channel that waits to ask again, when the connection is lost and the client closed, then no timer is left", async () => {
    void channel.subscribe().catch(() => undefined);
    const socket = await server.connect();
    refuse(socket, "subscribe");
    socket.drop();
    await server.client.close();
    expect(server.clock.pending).toBe(0);
  });

  it.each([
    ["CHECK_MISMATCH", RecoveryMiss.CHECK_MISMATCH, at(1)],
    ["AHEAD", RecoveryMiss.AHEAD, at(2)],
  ] as const)(
    "given a cursor that is not of this log, when the answer says %s, then that is told, and delivery goes on where the server is",
    async (reason, miss, position) => {
      const socket = await server.subscribe(channel);
      for (const offset of [1, 2, 3]) socket.publication("project:42", offset);
      socket.drop();
      const next = await server.reconnect();
      next.subscribed("project:42", { position, top: position, recovered: false, miss });
      next.publication("project:42", Number(position.offset) + 1);
      expect(events.slice(3)).toEqual([`missed ${reason}`, `m-${Number(position.offset) + 1}`]);
    },
  );

  it("given Lagged that tells a new epoch, when more is published, then it is delivered", async () => {
    const socket = await server.subscribe(channel);
    socket.say(laggedOf("project:42", at(4, "e2")), publicationOf("project:42", 5));
    expect([events, channel.position]).toEqual([["m-5"], { epoch: "e2", offset: 5, check: 1005 }]);
  });

  it("given grants that are gone, when the server ends the subscription, then it is not told to end it", async () => {
    const socket = await server.subscribe(channel);
    socket.say({ body: { case: "unsubscribed", value: { channel: "project:42", code: "PERMISSION_DENIED" } } });
    await turn();
    expect([channel.state, socket.asked("unsubscribe")]).toEqual(["unsubscribed", []]);
  });

  it("given a channel that is asked for again, when the end of what was before still comes, then the answer counts", async () => {
    const socket = await server.subscribe(channel);
    socket.publication("project:42", 9);
    await turn();
    socket.say({ body: { case: "unsubscribed", value: { channel: "project:42", code: "PERMISSION_DENIED" } } });
    expect(channel.state).toBe("subscribing");
    socket.subscribed("project:42");
    expect(channel.state).toBe("subscribed");
  });

  it("given two questions, when the answer to the older comes, then it is discarded with what follows it", async () => {
    void channel.subscribe().catch(() => undefined);
    const socket = await server.connect();
    const [first] = socket.asked("subscribe");
    channel.unsubscribe();
    void channel.subscribe().catch(() => undefined);
    await turn();
    const value = { channel: "project:42", position: at(0), top: at(0) };
    socket.say({ replyTo: first?.id ?? 0, body: { case: "subscribed", value } }, publicationOf("project:42", 1));
    expect([channel.state, channel.position]).toEqual(["subscribing", undefined]);
    socket.subscribed("project:42", { position: at(1), top: at(1) });
    socket.publication("project:42", 2);
    expect(events).toEqual(["m-2"]);
  });

  describe("when it is left", () => {
    it.each<[string, (socket: ScriptedSocket, replyTo: number) => void]>([
      [
        "an answer",
        (socket, replyTo) =>
          socket.say({ replyTo, body: { case: "unsubscribed", value: { channel: "project:42", code: "" } } }),
      ],
      ["a refusal for now", (socket, replyTo) => socket.error(replyTo, "UNAVAILABLE", { retryable: true })],
    ])(
      "given a channel that is subscribed to again, when %s to its end comes after that, then it stays",
      async (_, answer) => {
        const socket = await server.subscribe(channel);
        channel.unsubscribe();
        void channel.subscribe().catch(() => undefined);
        await turn();
        answer(socket, socket.asked("unsubscribe")[0]?.id ?? 0);
        socket.subscribed("project:42");
        await server.after(20_000);
        expect([channel.state, socket.asked("unsubscribe").length]).toEqual(["subscribed", 1]);
      },
    );

    it("given no answer to that, when its time is over, then the server is told again", async () => {
      const socket = await server.subscribe(channel);
      channel.unsubscribe();
      await server.after(20_000);
      socket.publication("tenant", 1);
      await server.after(10_000);
      expect(socket.asked("unsubscribe")).toHaveLength(2);
    });

    it("given refusals for as long as nobody knows, when they follow each other, then the pauses grow", async () => {
      const socket = await server.subscribe(channel);
      channel.unsubscribe();
      await turn();
      for (const [index, pauseMs] of [175, 300, 550].entries()) {
        refuse(socket, "unsubscribe");
        await server.after(pauseMs - 1);
        expect(socket.asked("unsubscribe")).toHaveLength(index + 1);
        await server.after(1);
        expect(socket.asked("unsubscribe")).toHaveLength(index + 2);
      }
    });
  });

  describe("on two connections", () => {
    it("given a channel that was left, when all others are caught up, then the move does not wait for it", async () => {
      const { old, next } = await overlap();
      const other = server.client.channel("other");
      void other.subscribe().catch(() => undefined);
      await turn();
      channel.unsubscribe();
      next.subscribed("other");
      expect(old.closedWith).toBe(1000);
    });

    it("given a cursor beyond the end that the answer names, when the new connection is answered, then nothing follows", async () => {
      const { old, next } = await overlap();
      old.say(publicationOf("project:42", 1), publicationOf("project:42", 2));
      next.subscribed("project:42", { top: at(1) });
      expect(events).toEqual(["m-1", "m-2", "recovered 0"]);
    });

    it("given Lagged on the old connection, when the new one delivers already, then the old one is not asked again", async () => {
      const { old, next } = await overlap();
      next.subscribed("project:42", { top: at(9) });
      old.say(laggedOf("project:42", at(5), 5), publicationOf("project:42", 6));
      await turn();
      expect(old.asked("subscribe")).toHaveLength(1);
    });

    it("given a new connection that delivers, when the old one answers of another log, then that does not count", async () => {
      const { old, next } = await overlap();
      old.publication("project:42", 9);
      await turn();
      next.subscribed("project:42", { top: at(2) });
      old.subscribed("project:42", {
        position: at(0, "e2"),
        top: at(0, "e2"),
        recovered: false,
        miss: RecoveryMiss.EPOCH_CHANGED,
      });
      next.say(publicationOf("project:42", 1), publicationOf("project:42", 2));
      expect(events).toEqual(["recovered 2", "m-1", "m-2"]);
    });

    it("given a channel that was left and subscribed to again, when the new connection is lost, then the old one is asked again", async () => {
      const { old, next } = await overlap();
      channel.unsubscribe();
      void channel.subscribe().catch(() => undefined);
      next.drop();
      await turn();
      expect(old.asked("subscribe")).toHaveLength(2);
      old.subscribed("project:42");
      expect(channel.state).toBe("subscribed");
    });
  });
});
