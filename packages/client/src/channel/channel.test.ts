import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  at,
  laggedOf,
  publicationOf,
  ScriptedServer,
  type ScriptedSocket,
  tagOf,
  turn,
} from "../../test/scripted-server.ts";
import { RecoveryMiss } from "@pm/proto";
import { json } from "../payload/payload-type.ts";
import type { Channel } from "./channel.ts";
import type { Publication } from "./publication.ts";

/** Takes what a loop gives until it ends; `error` is what it threw. */
function collect(channel: Channel): { readonly offsets: number[]; done: boolean; error: unknown } {
  const seen = { offsets: [] as number[], done: false, error: undefined as unknown };
  void (async () => {
    try {
      for await (const { position } of channel) seen.offsets.push(position.offset);
    } catch (error) {
      seen.error = error;
    }
    seen.done = true;
  })();
  return seen;
}

describe("Channel", () => {
  let server: ScriptedServer;
  let channel: Channel;
  let events: unknown[];

  beforeEach(() => {
    server = new ScriptedServer({ maxQueuedPublications: 4 });
    channel = server.client.channel("project:42");
    events = [];
    for (const name of ["lagged", "missed", "recovered"] as const)
      channel.on(name, (event) => events.push([name, event]));
    channel.on("state", ({ state, error }) => events.push([state, error?.code]));
  });
  afterEach(() => server.client.close());

  it("given a channel that is only published to, when the client connects, then it is not subscribed to", async () => {
    const socket = await server.connect();
    expect([socket.asked("subscribe"), channel.state]).toEqual([[], "unsubscribed"]);
  });

  it("given a subscribed channel, when a publication comes, then listeners get all of it and the position moves", async () => {
    const seen: Publication[] = [];
    channel.on("publication", (publication) => seen.push(publication));
    const socket = await server.subscribe(channel);
    socket.publication("project:42", 1);
    const position = { epoch: "e1", offset: 1, check: 1001 };
    expect(seen).toEqual([
      {
        channel: "project:42",
        position,
        data: 1,
        event: "",
        publisher: "",
        publishedAtMs: 0,
        messageId: "m-1",
        traceParent: "",
        missedBefore: undefined,
      },
    ]);
    expect(channel.position).toEqual(position);
    expect(events).toEqual([
      ["subscribing", undefined],
      ["subscribed", undefined],
    ]);
  });

  it("given many channels, when the client connects and comes back, then all are asked for in one frame, from where they were", async () => {
    const names = ["a", "b", "tenant"];
    for (const name of names)
      void server.client
        .channel(name)
        .subscribe()
        .catch(() => undefined);
    const socket = await server.connect();
    expect(socket.frames).toEqual([4]);
    for (const name of names) socket.subscribed(name);
    socket.publication("b", 1);
    socket.drop();
    await server.after(250);
    server.socket.welcome();
    await turn();
    expect(server.socket.frames).toEqual([4]);
    expect(server.socket.asked("subscribe")).toMatchObject([
      { value: { channel: "a", since: at(0) } },
      { value: { channel: "b", since: at(1) } },
      { value: { channel: "tenant", since: at(0) } },
    ]);
  });

  it("given a reconnect, when the server goes on where it was, then that is told with how much follows", async () => {
    const socket = await server.subscribe(channel);
    socket.drop();
    await server.after(250);
    server.socket.welcome();
    await turn();
    server.socket.subscribed("project:42", { top: at(3) });
    expect(events.slice(2)).toEqual([
      ["subscribing", undefined],
      ["recovered", { position: { epoch: "e1", offset: 0, check: 1000 }, behind: 3 }],
      ["subscribed", undefined],
    ]);
  });

  it("given a reconnect, when some are gone, then that is told with how many, and by the next publication", async () => {
    const seen = collect(channel);
    const missed: unknown[] = [];
    channel.on("publication", ({ missedBefore }) => missed.push(missedBefore?.count));
    const socket = await server.subscribe(channel);
    socket.drop();
    await server.after(250);
    server.socket.welcome();
    await turn();
    server.socket.subscribed("project:42", {
      recovered: false,
      miss: RecoveryMiss.RETENTION,
      missedCount: 5n,
      position: at(5),
      top: at(7),
    });
    server.socket.say(publicationOf("project:42", 6), publicationOf("project:42", 7));
    await turn();
    const miss = { reason: "RETENTION", count: 5, position: { epoch: "e1", offset: 5, check: 1005 } };
    expect(events).toContainEqual(["missed", miss]);
    expect([seen.offsets, missed]).toEqual([
      [6, 7],
      [5, undefined],
    ]);
  });

  it("given Lagged, when it comes, then it is told and delivery goes on after it", async () => {
    const seen = collect(channel);
    const socket = await server.subscribe(channel);
    socket.say(publicationOf("project:42", 1), laggedOf("project:42", at(9), 8), publicationOf("project:42", 10));
    await turn();
    expect(seen.offsets).toEqual([1, 10]);
    expect(events).toContainEqual([
      "lagged",
      { reason: "RETENTION", count: 8, position: { epoch: "e1", offset: 9, check: 1009 } },
    ]);
  });

  it("given one miss after the other, when the next publication comes, then it tells all of it, and history nothing of it", async () => {
    const missed: unknown[] = [];
    channel.on("publication", ({ missedBefore }) => missed.push(missedBefore));
    const socket = await server.subscribe(channel);
    socket.say(laggedOf("project:42", at(9), 9), laggedOf("project:42", at(12), 3));
    const page = channel.history();
    await turn();
    const publications = [{ channel: "project:42", offset: 1n, check: 1001 }];
    const value = { publications, position: at(1), top: at(12) };
    socket.say({ replyTo: socket.asked("readHistory")[0]?.id ?? 0, body: { case: "historyPage", value } });
    expect((await page).publications).toMatchObject([{ missedBefore: undefined }]);
    socket.publication("project:42", 13);
    socket.say(laggedOf("project:42", at(20), 7), laggedOf("project:42", at(21)), publicationOf("project:42", 22));
    expect(missed).toEqual([
      { reason: "RETENTION", count: 12, position: { epoch: "e1", offset: 12, check: 1012 } },
      { reason: "RETENTION", count: undefined, position: { epoch: "e1", offset: 21, check: 1021 } },
    ]);
  });

  it("given a miss of which nobody knows how many, when more are missed, then nobody knows how many all in all", async () => {
    const missed: unknown[] = [];
    channel.on("publication", ({ missedBefore }) => missed.push(missedBefore?.count));
    const socket = await server.subscribe(channel);
    socket.say(laggedOf("project:42", at(9)), laggedOf("project:42", at(12), 3), publicationOf("project:42", 13));
    expect(missed).toEqual([undefined]);
    expect(events.at(-1)).toMatchObject(["lagged", { count: 3 }]);
  });

  it("given a miss, when subscribe is called again and the next payload is not valid, then the next valid one tells it", async () => {
    const typed = server.client.channel("typed", {
      payload: json((value) => {
        if (value === 10) throw new RangeError("ten");
        return value;
      }),
    });
    const missed: unknown[] = [];
    typed.on("publication", ({ position, missedBefore }) => missed.push([position.offset, missedBefore?.count]));
    void typed.subscribe().catch(() => undefined);
    const socket = await server.connect();
    socket.subscribed("typed");
    socket.say(laggedOf("typed", at(9), 9));
    await typed.subscribe();
    for (const offset of [10, 11, 12]) socket.publication("typed", offset);
    expect(missed).toEqual([
      [11, 9],
      [12, undefined],
    ]);
  });

  it("given Lagged without a number, when it is told, then nobody knows how many", async () => {
    const socket = await server.subscribe(channel);
    socket.say(laggedOf("project:42", at(9)));
    expect(events.at(-1)).toMatchObject(["lagged", { count: undefined }]);
  });

  it.each<[string, (socket: ScriptedSocket) => void]>([
    ["a gap", (socket) => socket.publication("project:42", 3)],
    ["another tag at the cursor", (socket) => socket.publication("project:42", 1, 77)],
  ])(
    "given %s, when it comes, then the client asks again from where it is, and discards what comes before the answer",
    async (_, disagree) => {
      const seen = collect(channel);
      const socket = await server.subscribe(channel);
      socket.publication("project:42", 1);
      disagree(socket);
      await turn();
      expect(socket.asked("subscribe").at(-1)).toMatchObject({ value: { since: at(1) } });
      socket.publication("project:42", 2);
      socket.say(laggedOf("project:42", at(50)));
      socket.subscribed("project:42");
      socket.say(publicationOf("project:42", 2), publicationOf("project:42", 1), publicationOf("project:42", 3));
      await turn();
      expect(seen.offsets).toEqual([1, 2, 3]);
    },
  );

  it("given a server that disagrees again and again, when it does, then the client asks with pauses", async () => {
    const socket = await server.subscribe(channel);
    for (let round = 0; round < 5; round++) {
      socket.publication("project:42", 5);
      await turn();
      if (socket.asked("subscribe").length === round + 2) socket.subscribed("project:42");
    }
    expect([socket.asked("subscribe").length, channel.state]).toEqual([3, "subscribing"]);
    await server.after(200);
    expect(socket.asked("subscribe")).toHaveLength(4);
  });

  it("given a Subscribed that was not asked for, when it comes, then it is ignored", async () => {
    const tenant = server.client.channel("tenant");
    const subscribed = tenant.subscribe();
    const socket = await server.connect();
    socket.say({ body: { case: "subscribed", value: { channel: "tenant", position: at(9), top: at(9) } } });
    expect(tenant.state).toBe("subscribing");
    socket.subscribed("tenant", { position: at(4), top: at(4) });
    await subscribed;
    expect(tenant.position?.offset).toBe(4);
  });

  it("given a rewind, when the channel is subscribed to, then it is asked for once and never after a reconnect", async () => {
    void channel.subscribe({ rewind: 3 }).catch(() => undefined);
    const socket = await server.connect();
    expect(socket.asked("subscribe")).toMatchObject([{ value: { rewind: 3 } }]);
    expect(socket.asked("unsubscribe")).toEqual([]);
    socket.subscribed("project:42", { position: at(2), top: at(5) });
    socket.drop();
    await server.after(250);
    server.socket.welcome();
    await turn();
    expect(server.socket.asked("subscribe")).toMatchObject([{ value: { rewind: 0, since: at(2) } }]);
  });

  it("given a rewind of the channel tenant, which is always subscribed, when it is asked for, then it is left first", async () => {
    void server.client
      .channel("tenant", { rewind: 3 })
      .subscribe()
      .catch(() => undefined);
    const socket = await server.connect();
    expect(socket.received.map(({ body }) => body.case)).toEqual(["hello", "unsubscribe", "subscribe"]);
  });

  it("given a position that was kept, when the channel is subscribed to, then it continues after it", async () => {
    void channel.subscribe({ since: { epoch: "e1", offset: 7, check: 1007 } }).catch(() => undefined);
    const socket = await server.connect();
    expect(socket.asked("subscribe")).toMatchObject([{ value: { since: at(7) } }]);
  });

  it("given a channel with a position, when further loops begin, then each continues after what the one before has taken", async () => {
    const kept = server.client.channel("kept", { since: { epoch: "e1", offset: 7, check: 1007 } });
    const socket = await server.connect();
    for (const takes of [1, 2, 0, 0]) {
      const loop = kept[Symbol.asyncIterator]();
      await turn();
      socket.subscribed("kept");
      const since = kept.position?.offset ?? 0;
      if (since < 10) socket.say(publicationOf("kept", since + 1), publicationOf("kept", since + 2));
      for (let taken = 0; taken < takes; taken++) await loop.next();
      await loop.return?.();
    }
    const asked = socket.asked("subscribe").map(({ value }) => Number(value.since?.offset));
    expect(asked).toEqual([7, 8, 10, 10]);
  });

  it("given a loop that takes nothing of what came, when the next begins, then that begins where the first did", async () => {
    const kept = server.client.channel("kept", { since: { epoch: "e1", offset: 7, check: 1007 } });
    const socket = await server.connect();
    const loop = kept[Symbol.asyncIterator]();
    await turn();
    socket.subscribed("kept");
    socket.say(publicationOf("kept", 8), publicationOf("kept", 9));
    await loop.return?.();
    const seen = collect(kept);
    await turn();
    expect(socket.asked("subscribe").at(-1)).toMatchObject({ value: { since: at(7) } });
    socket.subscribed("kept");
    socket.say(publicationOf("kept", 8), publicationOf("kept", 9));
    await turn();
    expect(seen.offsets).toEqual([8, 9]);
  });

  it("given a loop that is behind when the client stops, when it ends before it has taken all, then the next begins with what it left", async () => {
    const kept = server.client.channel("kept", { since: { epoch: "e1", offset: 7, check: 1007 } });
    const loop = kept[Symbol.asyncIterator]();
    const socket = await server.connect();
    socket.subscribed("kept");
    socket.say(publicationOf("kept", 8), publicationOf("kept", 9));
    socket.drop(4503);
    expect((await loop.next()).value?.position.offset).toBe(8);
    await loop.return?.();
    const next = await server.connect();
    void kept[Symbol.asyncIterator]();
    await turn();
    expect(next.asked("subscribe")).toMatchObject([{ value: { since: at(8) } }]);
  });

  it("given a loop that has left something, when another is on its way already, then that is not disturbed", async () => {
    const kept = server.client.channel("kept", { since: { epoch: "e1", offset: 7, check: 1007 } });
    const loop = kept[Symbol.asyncIterator]();
    const socket = await server.connect();
    socket.subscribed("kept");
    socket.say(publicationOf("kept", 8), publicationOf("kept", 9));
    kept.unsubscribe();
    const other = kept[Symbol.asyncIterator]();
    await loop.return?.();
    expect(kept.state).toBe("subscribing");
    await other.return?.();
    void kept[Symbol.asyncIterator]();
    await turn();
    expect(socket.asked("subscribe").map(({ value }) => Number(value.since?.offset))).toEqual([7, 9, 9]);
  });

  it("given a loop that was told of a miss and of nothing else, when the next begins, then it is not told of that again", async () => {
    const kept = server.client.channel("kept", { since: { epoch: "e1", offset: 7, check: 1007 } });
    const socket = await server.connect();
    const loop = kept[Symbol.asyncIterator]();
    await turn();
    socket.subscribed("kept", { position: at(20), top: at(20), recovered: false, miss: RecoveryMiss.RETENTION });
    await loop.return?.();
    void kept[Symbol.asyncIterator]();
    await turn();
    expect(socket.asked("subscribe").at(-1)).toMatchObject({ value: { since: at(20) } });
  });

  it("given a channel without a position of its own, when a further loop begins, then it begins from then on", async () => {
    const socket = await server.connect();
    const loop = channel[Symbol.asyncIterator]();
    await turn();
    socket.subscribed("project:42");
    socket.say(publicationOf("project:42", 1), publicationOf("project:42", 2));
    await loop.next();
    await loop.return?.();
    void channel[Symbol.asyncIterator]();
    await turn();
    expect(socket.asked("subscribe").map(({ value }) => value.since)).toEqual([undefined, undefined]);
  });

  it("given null for a position, when it is used, then it is none", async () => {
    void channel.subscribe({ since: null, rewind: 2 }).catch(() => undefined);
    void server.client
      .channel("other", { since: null })
      .subscribe()
      .catch(() => undefined);
    const socket = await server.connect();
    void channel.history({ since: null }).catch(() => undefined);
    await turn();
    const questions = [...socket.asked("subscribe"), ...socket.asked("readHistory")];
    expect(questions.map(({ value }) => value.since)).toEqual([undefined, undefined, undefined]);
  });

  it("given a refusal for good, when the server tells it, then subscribe rejects, loops throw, and the state says why", async () => {
    const seen = collect(channel);
    const rejected = expect(channel.subscribe()).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    const socket = await server.connect();
    socket.error(socket.asked("subscribe")[0]?.id ?? 0, "PERMISSION_DENIED");
    await rejected;
    await turn();
    expect(seen).toMatchObject({ done: true, error: { code: "PERMISSION_DENIED" } });
    expect(events.at(-1)).toEqual(["unsubscribed", "PERMISSION_DENIED"]);
  });

  it("given a channel that was refused, when it is subscribed to again and left, then nobody is told of the refusal any more", async () => {
    const rejected = expect(channel.subscribe()).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    const socket = await server.connect();
    socket.error(socket.asked("subscribe")[0]?.id ?? 0, "PERMISSION_DENIED");
    await rejected;
    const closed = expect(channel.subscribe()).rejects.toMatchObject({ code: "CLOSED" });
    channel.unsubscribe();
    await closed;
    expect(events.slice(-2)).toEqual([
      ["subscribing", undefined],
      ["unsubscribed", undefined],
    ]);
  });

  it("given a refusal for now, when the wait is over, then the client asks again", async () => {
    void channel.subscribe().catch(() => undefined);
    const socket = await server.connect();
    socket.error(socket.asked("subscribe")[0]?.id ?? 0, "RATE_LIMIT_EXCEEDED", { retryable: true, retryAfterMs: 600 });
    await server.after(599);
    expect(socket.asked("subscribe")).toHaveLength(1);
    await server.after(1);
    socket.subscribed("project:42");
    expect(channel.state).toBe("subscribed");
  });

  it("given many channels that are refused together over a rate, when they are asked for again, then one after the other", async () => {
    const names = ["a", "b", "c", "d", "e"];
    for (const name of names) {
      const subscribed = server.client.channel(name).subscribe();
      subscribed.catch(() => undefined);
    }
    const socket = await server.connect();
    for (const { id } of socket.asked("subscribe")) {
      socket.error(id, "RATE_LIMIT_EXCEEDED", { retryable: true, retryAfterMs: 600 });
    }
    const askedAt: number[] = [];
    for (let ms = 20; ms <= 840; ms += 20) {
      const before = socket.asked("subscribe").length;
      await server.after(20);
      for (let asked = before; asked < socket.asked("subscribe").length; asked++) askedAt.push(ms);
    }
    expect(askedAt).toEqual([600, 660, 720, 780, 840]);
  });

  it("given no answer to a Subscribe, when its time is over, then the connection is left", async () => {
    void channel.subscribe().catch(() => undefined);
    const socket = await server.connect();
    await server.after(20_000);
    socket.publication("x", 1);
    await server.after(10_000);
    expect([socket.closedWith, server.client.state.kind]).toEqual([1000, "waiting"]);
  });

  it("given grants that are gone, when the server ends the subscription, then the channel says why", async () => {
    const seen = collect(channel);
    const socket = await server.subscribe(channel);
    socket.say({ body: { case: "unsubscribed", value: { channel: "project:42", code: "PERMISSION_DENIED" } } });
    await turn();
    expect([seen.error, channel.state]).toMatchObject([{ code: "PERMISSION_DENIED" }, "unsubscribed"]);
  });

  it("given a channel that was left, when publications still come, then nobody gets them", async () => {
    const seen = collect(channel);
    const socket = await server.subscribe(channel);
    channel.unsubscribe();
    socket.publication("project:42", 1);
    await turn();
    expect([seen, socket.asked("unsubscribe").length]).toMatchObject([
      { offsets: [], done: true, error: undefined },
      1,
    ]);
  });

  it("given a channel that was left, when the server cannot take that now, then it is told again until it does", async () => {
    const socket = await server.subscribe(channel);
    channel.unsubscribe();
    await turn();
    for (const [waitMs, code, retryable] of [
      [600, "RATE_LIMIT_EXCEEDED", true],
      [0, "NOT_SUBSCRIBED", false],
    ] as const) {
      const asked = socket.asked("unsubscribe");
      socket.error(asked.at(-1)?.id ?? 0, code, { retryable, retryAfterMs: waitMs });
      await server.after(Math.max(0, waitMs - 1));
      expect(socket.asked("unsubscribe")).toHaveLength(asked.length);
      await server.after(1);
    }
    await server.after(20_000);
    expect(socket.asked("unsubscribe")).toHaveLength(2);
  });

  it("given a channel that was left, when it is subscribed to again before the server has heard, then it is not told to end it", async () => {
    const socket = await server.subscribe(channel);
    channel.unsubscribe();
    await turn();
    socket.error(socket.asked("unsubscribe")[0]?.id ?? 0, "RATE_LIMIT_EXCEEDED", {
      retryable: true,
      retryAfterMs: 600,
    });
    void channel.subscribe().catch(() => undefined);
    await turn();
    socket.subscribed("project:42");
    await server.after(20_000);
    expect([socket.asked("unsubscribe").length, channel.state]).toEqual([1, "subscribed"]);
  });

  it("given a subscription that is asked for again after a pause, when it is left meanwhile, then the server is told", async () => {
    const socket = await server.subscribe(channel);
    for (let round = 0; round < 3; round++) {
      socket.publication("project:42", 5);
      await turn();
      if (round < 2) socket.subscribed("project:42");
    }
    channel.unsubscribe();
    await server.after(20_000);
    expect([socket.asked("subscribe").length, socket.asked("unsubscribe").length]).toEqual([3, 1]);
  });

  it("given a payload that is not of the type, when it comes, then it is told as invalid and the rest goes on", async () => {
    const typed = server.client.channel("typed", {
      payload: json((value) => {
        if (value === 2) throw new RangeError("two");
        return String(value);
      }),
    });
    const seen: string[] = [];
    typed.on("publication", ({ data }) => seen.push(data));
    typed.on("invalid", ({ position, messageId, error }) =>
      seen.push(`${position.offset} ${messageId} ${error.message}`),
    );
    void typed.subscribe().catch(() => undefined);
    const socket = await server.connect();
    socket.subscribed("typed");
    for (const offset of [1, 2, 3]) socket.publication("typed", offset);
    expect(seen).toEqual(["1", "2 m-2 a payload of typed is not valid: two", "3"]);
  });

  it("given a listener that throws, when a publication comes, then the others get it and the error is reported", async () => {
    const reported: unknown[] = [];
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.once("uncaughtException", (error) => reported.push(error.message));
    channel.on("publication", () => {
      throw new Error("mine");
    });
    const seen: number[] = [];
    channel.on("publication", ({ position }) => seen.push(position.offset));
    const socket = await server.subscribe(channel);
    socket.publication("project:42", 1);
    await turn();
    for (const listener of listeners) process.on("uncaughtException", listener);
    expect([seen, reported]).toEqual([[1], ["mine"]]);
  });

  describe("with loops", () => {
    it("given a loop, when it begins, then the channel is subscribed to; when the last one ends, then it is left", async () => {
      const first = channel[Symbol.asyncIterator]();
      const second = channel[Symbol.asyncIterator]();
      const socket = await server.connect();
      socket.subscribed("project:42");
      await first.return?.();
      expect(channel.state).toBe("subscribed");
      await second.return?.();
      expect(channel.state).toBe("unsubscribed");
    });

    it("given subscribe beside a loop, when the loop ends, then the channel stays", async () => {
      await server.subscribe(channel);
      await channel[Symbol.asyncIterator]().return?.();
      expect(channel.state).toBe("subscribed");
    });

    it("given a consumer that is behind, when the queue is full, then the client leaves, and is back for the rest when most are taken", async () => {
      const loop = channel[Symbol.asyncIterator]();
      const socket = await server.connect();
      socket.subscribed("project:42");
      socket.say(...[1, 2, 3, 4, 5, 6].map((offset) => publicationOf("project:42", offset)));
      await turn();
      expect([channel.state, socket.asked("unsubscribe").length]).toEqual(["paused", 1]);
      const taken: number[] = [];
      for (let count = 0; count < 3; count++) taken.push((await loop.next()).value?.position.offset ?? 0);
      await turn();
      expect(socket.asked("subscribe").at(-1)).toMatchObject({ value: { since: at(4) } });
      socket.subscribed("project:42", { top: at(6) });
      socket.say(publicationOf("project:42", 5), publicationOf("project:42", 6));
      for (let count = 0; count < 3; count++) taken.push((await loop.next()).value?.position.offset ?? 0);
      expect(taken).toEqual([1, 2, 3, 4, 5, 6]);
      await loop.return?.();
    });

    it("given a consumer that is behind, when the connection is lost, then the next one is not asked before most are taken", async () => {
      const loop = channel[Symbol.asyncIterator]();
      const socket = await server.connect();
      socket.subscribed("project:42");
      socket.say(...[1, 2, 3, 4].map((offset) => publicationOf("project:42", offset)));
      socket.drop();
      await server.after(250);
      server.socket.welcome();
      await turn();
      expect(server.socket.asked("subscribe")).toEqual([]);
      for (let count = 0; count < 3; count++) await loop.next();
      await turn();
      expect(server.socket.asked("subscribe")).toMatchObject([{ value: { since: at(4) } }]);
      await loop.return?.();
    });

    it("given a loop that is behind, when it subscribes, then that does not wait for itself", async () => {
      const loop = channel[Symbol.asyncIterator]();
      const socket = await server.connect();
      socket.subscribed("project:42");
      socket.say(...[1, 2, 3, 4].map((offset) => publicationOf("project:42", offset)));
      expect(channel.state).toBe("paused");
      await channel.subscribe();
      await loop.return?.();
      await turn();
      expect(socket.asked("subscribe").at(-1)).toMatchObject({ value: { since: at(4) } });
    });

    it("given two loops, when the slow one ends, then the client is back for the other", async () => {
      const slow = channel[Symbol.asyncIterator]();
      const seen = collect(channel);
      const socket = await server.connect();
      socket.subscribed("project:42");
      socket.say(...[1, 2, 3, 4].map((offset) => publicationOf("project:42", offset)));
      await turn();
      expect([channel.state, seen.offsets]).toEqual(["paused", [1, 2, 3, 4]]);
      await slow.return?.();
      await turn();
      expect(socket.asked("subscribe").at(-1)).toMatchObject({ value: { since: at(4) } });
    });

    it("given two loops that are behind, when one of them has taken most, then the client waits for the other", async () => {
      const loops = [channel[Symbol.asyncIterator](), channel[Symbol.asyncIterator]()];
      const socket = await server.connect();
      socket.subscribed("project:42");
      socket.say(...[1, 2, 3, 4].map((offset) => publicationOf("project:42", offset)));
      for (const [index, loop] of loops.entries()) {
        for (let count = 0; count < 3; count++) {
          expect(channel.state).toBe("paused");
          await loop.next();
        }
        await turn();
        expect(socket.asked("subscribe")).toHaveLength(index + 1);
      }
      for (const loop of loops) await loop.return?.();
    });

    it("given a loop that is behind, when the channel is left and subscribed to again, then the old loop does not hold it up", async () => {
      const behind = channel[Symbol.asyncIterator]();
      const socket = await server.connect();
      socket.subscribed("project:42");
      socket.say(...[1, 2, 3, 4].map((offset) => publicationOf("project:42", offset)));
      channel.unsubscribe();
      const loop = channel[Symbol.asyncIterator]();
      expect(channel.state).toBe("subscribing");
      await turn();
      socket.subscribed("project:42", { position: at(4), top: at(4) });
      socket.say(...[5, 6, 7, 8].map((offset) => publicationOf("project:42", offset)));
      expect(channel.state).toBe("paused");
      for (let count = 0; count < 3; count++) await loop.next();
      expect(channel.state).toBe("subscribing");
      for (let count = 0; count < 4; count++) expect(await behind.next()).toMatchObject({ done: false });
      expect(await behind.next()).toEqual({ done: true, value: undefined });
      await loop.return?.();
    });

    it("given a channel that was subscribed to and left, when a loop over it ends, then it is left", async () => {
      await server.subscribe(channel);
      channel.unsubscribe();
      const loop = channel[Symbol.asyncIterator]();
      expect(channel.state).toBe("subscribing");
      await loop.return?.();
      expect(channel.state).toBe("unsubscribed");
    });

    it("given a client that is closed, when a loop waits, then it ends; when the server stops the client, then it throws", async () => {
      const closed = collect(channel);
      await server.connect();
      await server.client.close();
      await turn();
      expect(closed).toMatchObject({ done: true, error: undefined });
      const socket = await server.connect();
      const stopped = collect(channel);
      await turn();
      socket.drop(4503);
      await turn();
      expect(stopped).toMatchObject({ done: true, error: { code: "STOPPED", closeCode: 4503 } });
    });
  });

  it("given a client that has ended, when a channel is subscribed to or looped over, then that says why, until it connects again", async () => {
    await server.connect();
    await server.client.close();
    await expect(channel.subscribe()).rejects.toMatchObject({ code: "CLOSED" });
    (await server.connect()).drop(4503);
    await expect(channel.subscribe()).rejects.toMatchObject({ code: "STOPPED" });
    const loop = channel[Symbol.asyncIterator]();
    await expect(loop.next()).rejects.toMatchObject({ code: "STOPPED" });
    expect([await loop.next(), channel.state]).toEqual([{ done: true, value: undefined }, "unsubscribed"]);
    const socket = await server.connect();
    void channel.subscribe().catch(() => undefined);
    await turn();
    expect(socket.asked("subscribe")).toHaveLength(1);
  });

  describe("history", () => {
    it("given a page, when it is read, then its publications are decoded and the rest is told", async () => {
      const socket = await server.connect();
      const page = channel.history({ since: { epoch: "e1", offset: 1, check: 0 }, limit: 2, backward: false });
      await turn();
      const [question] = socket.asked("readHistory");
      expect(question?.value).toMatchObject({ channel: "project:42", since: { epoch: "e1", offset: 1n }, limit: 2 });
      const publications = [2, 3].map((offset) => {
        return {
          channel: "project:42",
          offset: BigInt(offset),
          check: 9,
          payload: { kind: { case: "json" as const, value: "7" } },
        };
      });
      const value = { publications, position: at(3), more: true, top: at(5), miss: RecoveryMiss.RETENTION };
      socket.say({ replyTo: question?.id ?? 0, body: { case: "historyPage", value } });
      expect(await page).toMatchObject({
        publications: [
          { data: 7, position: { epoch: "e1", offset: 2, check: 9 } },
          { data: 7, position: { epoch: "e1", offset: 3, check: 9 } },
        ],
        position: { offset: 3 },
        hasMore: true,
        miss: "RETENTION",
        top: { offset: 5 },
      });
    });

    it("given a payload that is not of the type, when a page is read, then it is left out and told", async () => {
      const typed = server.client.channel("typed", {
        payload: json((value) => {
          if (value === 2) throw new RangeError("two");
          return value;
        }),
      });
      const invalid: number[] = [];
      typed.on("invalid", ({ position }) => invalid.push(position.offset));
      const socket = await server.connect();
      const page = typed.history({ backward: true });
      await turn();
      const [question] = socket.asked("readHistory");
      expect(question?.value.backward).toBe(true);
      const publications = [3, 2, 1].map((offset) => {
        const payload = { kind: { case: "json" as const, value: String(offset) } };
        return { channel: "typed", offset: BigInt(offset), check: tagOf(offset), payload };
      });
      socket.say({
        replyTo: question?.id ?? 0,
        body: { case: "historyPage", value: { publications, position: at(1), top: at(3) } },
      });
      expect((await page).publications.map(({ data }) => data)).toEqual([3, 1]);
      expect(invalid).toEqual([2]);
    });

    it("given an answer that is no page, when it comes, then that is said", async () => {
      const socket = await server.connect();
      const read = expect(channel.history()).rejects.toMatchObject({ code: "INTERNAL_ERROR" });
      await turn();
      socket.say({ replyTo: socket.asked("readHistory")[0]?.id ?? 0, body: { case: "pong", value: {} } });
      await read;
    });

    it.each([
      { limit: 1.5 },
      { limit: -1 },
      { limit: 2 ** 32 },
      { since: { epoch: "e", offset: 1.5, check: 1 } },
      { since: { epoch: "e", offset: 2 ** 53, check: 1 } },
      { since: { epoch: "e", offset: 1, check: -1 } },
      { since: { epoch: "\ud800", offset: 1, check: 1 } },
    ])("given %j, when it is read, then that is refused here", async (options) => {
      const socket = await server.connect();
      await expect(channel.history(options)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      expect(socket.asked("readHistory")).toEqual([]);
    });

    it("given a client that was never told to connect, when it is read, then that says so", async () => {
      await expect(channel.history()).rejects.toMatchObject({ code: "CLOSED" });
    });

    it("given a connection that is lost before the answer, when the client is back, then it asks again", async () => {
      const socket = await server.connect();
      const page = channel.history();
      await turn();
      socket.drop();
      await server.after(250);
      server.socket.welcome();
      await turn();
      const [question] = server.socket.asked("readHistory");
      server.socket.say({
        replyTo: question?.id ?? 0,
        body: { case: "historyPage", value: { position: at(0), top: at(0) } },
      });
      expect(await page).toMatchObject({ publications: [], hasMore: false, miss: undefined });
    });

    it("given pages that are refused over the rate, when there is room again, then one is asked for, and more when it is answered", async () => {
      const socket = await server.connect();
      const pages = [1, 2, 3].map((limit) => channel.history({ limit }));
      await turn();
      const refused = { retryable: true, retryAfterMs: 600 };
      for (const { id } of socket.asked("readHistory")) socket.error(id, "RATE_LIMIT_EXCEEDED", refused);
      await server.after(590);
      expect(socket.asked("readHistory")).toHaveLength(3);
      await server.after(100);
      expect(socket.asked("readHistory")).toHaveLength(4);
      const answer = (index: number): void => {
        const value = { position: at(index), top: at(9) };
        socket.say({ replyTo: socket.asked("readHistory")[index]?.id ?? 0, body: { case: "historyPage", value } });
      };
      answer(3);
      await turn();
      expect(socket.asked("readHistory")).toHaveLength(6);
      for (const index of [4, 5]) answer(index);
      expect((await Promise.all(pages)).map(({ position }) => position.offset)).toEqual([3, 4, 5]);
    });

    it("given a server that has no room for half a minute, when pages wait, then they are refused, and a newer one waits on", async () => {
      const socket = await server.connect();
      const refuse = (count: number): void => {
        for (const { id } of socket.asked("readHistory").slice(-count)) {
          socket.error(id, "RATE_LIMIT_EXCEEDED", { retryable: true, retryAfterMs: 10_000 });
        }
      };
      const refused = [channel.history({ limit: 1 }), channel.history({ limit: 2 })].map((page) =>
        expect(page).rejects.toMatchObject({ code: "RATE_LIMIT_EXCEEDED", retryAfterMs: 10_000 }),
      );
      await turn();
      refuse(2);
      let isOpen = true;
      for (let asked = 3; asked <= 5; asked++) {
        await server.after(11_000);
        if (asked === 4) {
          const page = channel.history({ limit: 3 });
          void page.catch(() => undefined).finally(() => (isOpen = false));
        }
        socket.publication("x", asked);
        expect(socket.asked("readHistory")).toHaveLength(asked);
        refuse(1);
      }
      await Promise.all(refused);
      expect(isOpen).toBe(true);
    });

    it("given a page that is refused over the rate for good, when it is answered, then that is said", async () => {
      const socket = await server.connect();
      const page = expect(channel.history()).rejects.toMatchObject({ code: "RATE_LIMIT_EXCEEDED" });
      await turn();
      const retryAfterMs = 2 ** 32 - 1;
      socket.error(socket.asked("readHistory")[0]?.id ?? 0, "RATE_LIMIT_EXCEEDED", { retryAfterMs });
      await page;
    });

    it("given a page that waits for the rate, when the connection is lost, then the next is asked at once", async () => {
      const socket = await server.connect();
      const page = channel.history();
      await turn();
      const [question] = socket.asked("readHistory");
      socket.error(question?.id ?? 0, "RATE_LIMIT_EXCEEDED", { retryable: true, retryAfterMs: 60_000 });
      socket.drop();
      await server.after(250);
      server.socket.welcome();
      await turn();
      const value = { position: at(1), top: at(1) };
      server.socket.say({
        replyTo: server.socket.asked("readHistory")[0]?.id ?? 0,
        body: { case: "historyPage", value },
      });
      expect(await page).toMatchObject({ position: { offset: 1 } });
    });

    it("given a refusal, no answer, or a client that is closed, when it is read, then it rejects and says why", async () => {
      const socket = await server.connect();
      const refused = expect(channel.history()).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
      await turn();
      socket.error(socket.asked("readHistory")[0]?.id ?? 0, "PERMISSION_DENIED");
      await refused;
      const late = expect(channel.history()).rejects.toMatchObject({ code: "TIMEOUT" });
      await server.after(20_000);
      socket.publication("x", 1);
      await server.after(10_000);
      await late;
      const closed = expect(channel.history()).rejects.toMatchObject({ code: "CLOSED" });
      await turn();
      await server.client.close();
      await closed;
    });
  });

  it.each<[string, () => Promise<void>]>([
    ["since with rewind", () => channel.subscribe({ since: { epoch: "e", offset: 1, check: 1 }, rewind: 1 })],
    ["a fraction for rewind", () => channel.subscribe({ rewind: 1.5 })],
    ["a negative offset", () => channel.subscribe({ since: { epoch: "e", offset: -1, check: 1 } })],
    ["a long epoch", () => channel.subscribe({ since: { epoch: "e".repeat(65), offset: 1, check: 1 } })],
    ["half a surrogate pair", () => channel.subscribe({ since: { epoch: "\ud800", offset: 1, check: 1 } })],
  ])("given %s, when the channel is subscribed to, then that is refused here", async (_, call) => {
    await expect(call()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("given since with a rewind of 0, when the channel is subscribed to, then it continues after the position", async () => {
    const since = { epoch: "e1", offset: 0, check: 2 ** 32 - 1 };
    void channel.subscribe({ since, rewind: 0 }).catch(() => undefined);
    const socket = await server.connect();
    expect(socket.asked("subscribe")).toMatchObject([{ value: { since: { ...since, offset: 0n }, rewind: 0 } }]);
  });

  it("given a Map, when it is published, then that is refused here", async () => {
    await server.connect();
    await expect(channel.publish(new Map())).rejects.toMatchObject({ code: "INVALID_ARGUMENT", field: "data" });
  });

  it.each([
    { idempotencyKey: "" },
    { idempotencyKey: "k".repeat(65) },
    { event: "\ud800" },
    { idempotencyKey: "\udc00" },
    { traceParent: "\ud800x" },
  ])("given %j, when it is published, then that is refused here", async (options) => {
    await server.connect();
    await expect(channel.publish(1, options)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});
