import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { at, laggedOf, ScriptedServer, type ScriptedSocket, turn } from "../../test/scripted-server.ts";
import type { Channel } from "../channel/channel.ts";
import type { PmClientError } from "../pm-client-error.ts";

/** What became of a promise so far. */
function outcomeOf(promise: Promise<{ readonly position: { readonly offset: number } }>): { now: string } {
  const outcome = { now: "open" };
  promise.then(
    ({ position }) => (outcome.now = `at ${position.offset}`),
    ({ code }: PmClientError) => (outcome.now = code),
  );
  return outcome;
}

function keysOf(socket: ScriptedSocket): string[] {
  return socket.asked("publish").map(({ value }) => value.idempotencyKey);
}

/** Answers a question for a page of history, the newest one, as one who asks for the end of the log gets it. */
function topOf(socket: ScriptedSocket, epoch: string, replyTo = socket.asked("readHistory").at(-1)?.id): void {
  if (replyTo === undefined) throw new Error("nobody asked for history");
  socket.say({ replyTo, body: { case: "historyPage", value: { top: at(1, epoch) } } });
}

describe("publishing", () => {
  let server: ScriptedServer;
  let channel: Channel;

  beforeEach(() => {
    server = new ScriptedServer({ maxPendingPublishes: 4, maxPublishWaitMs: 60_000 });
    channel = server.client.channel("project:42");
  });
  afterEach(() => server.client.close());

  /** Connects, publishes once so that the epoch is known, and loses the next publish. */
  async function loseOne(): Promise<{ readonly outcome: { now: string } }> {
    const socket = await server.connect();
    const first = channel.publish(0);
    await turn();
    socket.publishedFrom(1);
    await first;
    const outcome = outcomeOf(channel.publish(1, { idempotencyKey: "lost" }));
    await turn();
    socket.drop();
    return { outcome };
  }

  it("given options, when data is published, then all of it is on the wire, with a key of its own where none was given", async () => {
    const socket = await server.connect();
    void channel.publish({ a: 1 }, { event: "done", idempotencyKey: "k", traceParent: "00-1" }).catch(() => undefined);
    void channel.publish(Uint8Array.of(1, 2)).catch(() => undefined);
    void channel.publish(undefined).catch(() => undefined);
    await turn();
    const [first, second, third] = socket.asked("publish").map(({ value }) => value);
    expect(first).toMatchObject({ channel: "project:42", event: "done", idempotencyKey: "k", traceParent: "00-1" });
    expect(first?.payload?.kind).toEqual({ case: "json", value: '{"a":1}' });
    expect(second?.payload?.kind).toEqual({ case: "data", value: Uint8Array.of(1, 2) });
    expect(third?.payload).toBeUndefined();
    expect(second?.idempotencyKey).not.toBe(third?.idempotencyKey);
    expect(socket.frames.at(-1)).toBe(3);
  });

  it("given a duplicate, when it is answered, then the result says so", async () => {
    const socket = await server.connect();
    const published = channel.publish(1);
    await turn();
    const value = { position: at(7), duplicate: true, messageId: "m-7" };
    socket.say({ replyTo: socket.asked("publish")[0]?.id ?? 0, body: { case: "published", value } });
    const position = { epoch: "e1", offset: 7, check: 1007 };
    expect(await published).toEqual({ position, messageId: "m-7", isDuplicate: true });
  });

  it("given no connection yet, when data is published, then it is sent as soon as there is one", async () => {
    const socket = await server.dial();
    const outcome = outcomeOf(channel.publish(1));
    await turn();
    socket.welcome();
    await turn();
    socket.publishedFrom(1);
    await turn();
    expect(outcome.now).toBe("at 1");
  });

  it("given a client that was never told to connect, when data is published, then it is rejected", async () => {
    await expect(channel.publish(1)).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("given no connection for as long as a publish may wait, when the time is over, then it is rejected as expired", async () => {
    await server.dial();
    const outcome = outcomeOf(channel.publish(1));
    await server.after(59_999);
    expect(outcome.now).toBe("open");
    await server.after(1);
    expect(outcome.now).toBe("EXPIRED");
  });

  it("given as many publishes as may be pending, when one more comes, then it is refused and the others are not", async () => {
    const socket = await server.connect();
    const outcomes = Array.from({ length: 5 }, (_, index) => outcomeOf(channel.publish(index)));
    await turn();
    socket.publishedFrom(1);
    await turn();
    expect(outcomes.map(({ now }) => now)).toEqual(["at 1", "at 2", "at 3", "at 4", "BUFFER_FULL"]);
  });

  it("given a message larger than the server takes, when it is published, then it is refused and nothing is sent", async () => {
    (await server.dial()).welcome({ maxMessageBytes: 1000 });
    await expect(channel.publish("x".repeat(1000))).rejects.toMatchObject({ code: "MESSAGE_TOO_LARGE" });
    const outcome = outcomeOf(channel.publish("x".repeat(800)));
    await turn();
    expect(server.socket.asked("publish")).toHaveLength(1);
    expect(outcome.now).toBe("open");
  });

  it.each(["PERMISSION_DENIED", "INVALID_MESSAGE", "INTERNAL_ERROR", "A_CODE_OF_THE_FUTURE"])(
    "given %s, when a publish is refused, then it is rejected with what the server said",
    async (code) => {
      const socket = await server.connect();
      const published = expect(channel.publish(1)).rejects.toMatchObject({ code, errorId: "e-1" });
      await turn();
      socket.error(socket.asked("publish")[0]?.id ?? 0, code);
      await published;
    },
  );

  it("given a rate that is exceeded, when the wait is over, then the publish is sent again in its order", async () => {
    const socket = await server.connect();
    const outcomes = [1, 2].map((data) => outcomeOf(channel.publish(data, { idempotencyKey: `k-${data}` })));
    await turn();
    for (const { id } of socket.asked("publish").toReversed())
      socket.error(id, "RATE_LIMIT_EXCEEDED", { retryable: true, retryAfterMs: 900 });
    void channel.publish(3, { idempotencyKey: "k-3" }).catch(() => undefined);
    await server.after(899);
    expect(keysOf(socket)).toEqual(["k-1", "k-2"]);
    await server.after(46);
    expect(keysOf(socket)).toEqual(["k-1", "k-2", "k-1"]);
    socket.publishedFrom(1);
    await turn();
    expect(keysOf(socket)).toEqual(["k-1", "k-2", "k-1", "k-2", "k-3"]);
    expect(outcomes.map(({ now }) => now)).toEqual(["at 3", "open"]);
  });

  it("given many refusals of one frame, when the wait is over, then it was as long as the server said", async () => {
    const many = new ScriptedServer();
    const socket = await many.connect();
    for (let index = 0; index < 50; index++)
      void many.client
        .channel("c")
        .publish(index)
        .catch(() => undefined);
    await turn();
    for (const { id } of socket.asked("publish"))
      socket.error(id, "RATE_LIMIT_EXCEEDED", { retryable: true, retryAfterMs: 600 });
    await many.after(629);
    expect(socket.asked("publish")).toHaveLength(50);
    await many.after(1);
    expect(socket.asked("publish")).toHaveLength(51);
    await many.client.close();
  });

  it("given refusals for as long as nobody knows, when they follow each other, then each pause is longer, whatever was refused at once", async () => {
    const socket = await server.connect();
    void channel.subscribe().catch(() => undefined);
    await turn();
    socket.subscribed("project:42");
    const outcomes = [1, 2, 3].map((data) => outcomeOf(channel.publish(data)));
    await turn();
    for (const pauseMs of [225, 350, 600]) {
      for (const { id } of socket.asked("publish").slice(-3)) socket.error(id, "UNAVAILABLE", { retryable: true });
      const sent = socket.asked("publish").length;
      await server.after(pauseMs - 1);
      expect(socket.asked("publish")).toHaveLength(sent);
      await server.after(1);
      expect(socket.asked("publish")).toHaveLength(sent + 1);
    }
    expect(outcomes.map(({ now }) => now)).toEqual(["open", "open", "open"]);
  });

  it("given a rate that the message can never keep, when it is refused, then it is rejected", async () => {
    const socket = await server.connect();
    const outcome = outcomeOf(channel.publish(1));
    await turn();
    socket.error(socket.asked("publish")[0]?.id ?? 0, "RATE_LIMIT_EXCEEDED", { retryAfterMs: 4_294_967_295 });
    await turn();
    expect(outcome.now).toBe("RATE_LIMIT_EXCEEDED");
  });

  it.each<[readonly number[], number]>([
    [[100, 900], 945],
    [[900, 100], 945],
  ])(
    "given refusals with waits of %j ms, when they come together, then the longest is waited",
    async (waits, dueMs) => {
      const socket = await server.connect();
      for (const data of waits) void channel.publish(data).catch(() => undefined);
      await turn();
      for (const [index, retryAfterMs] of waits.entries()) {
        socket.error(socket.asked("publish")[index]?.id ?? 0, "RATE_LIMIT_EXCEEDED", { retryable: true, retryAfterMs });
        // Chance is asked once a pause.
        server.fraction = 0.99;
      }
      await server.after(dueMs - 1);
      expect(socket.asked("publish")).toHaveLength(2);
      await server.after(1);
      expect(socket.asked("publish")).toHaveLength(3);
    },
  );

  it("given a rate that is exceeded for nobody knows how long, when it is refused, then the client waits all the same", async () => {
    const socket = await server.connect();
    void channel.publish(1).catch(() => undefined);
    await turn();
    socket.error(socket.asked("publish")[0]?.id ?? 0, "RATE_LIMIT_EXCEEDED", { retryable: true });
    await server.after(224);
    expect(socket.asked("publish")).toHaveLength(1);
    await server.after(1);
    expect(socket.asked("publish")).toHaveLength(2);
  });

  it("given a pause, when it is over, then one is sent, and each success lets one more be on its way; what was sent before it does not count", async () => {
    const many = new ScriptedServer();
    const socket = await many.connect();
    for (let index = 0; index < 10; index++)
      void many.client
        .channel("c")
        .publish(index)
        .catch(() => undefined);
    await turn();
    const publish = (index: number): number => socket.asked("publish")[index]?.id ?? 0;
    const answer = (index: number): void => {
      const value = { position: at(index + 1), messageId: `m-${index}` };
      socket.say({ replyTo: publish(index), body: { case: "published", value } });
    };
    for (let index = 1; index < 10; index++)
      socket.error(publish(index), "RATE_LIMIT_EXCEEDED", { retryable: true, retryAfterMs: 600 });
    answer(0);
    await many.after(630);
    expect(socket.asked("publish")).toHaveLength(11);
    answer(10);
    await turn();
    expect(socket.asked("publish")).toHaveLength(13);
    answer(11);
    answer(12);
    await turn();
    expect(socket.asked("publish")).toHaveLength(17);
    await many.client.close();
  });

  it("given a rate that was exceeded once, when much is published one by one, then two frames are on their way, and the rest goes in one", async () => {
    const many = new ScriptedServer();
    const busy = many.client.channel("c");
    const publishOneByOne = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++) {
        void busy.publish(index).catch(() => undefined);
        await turn();
      }
    };
    const socket = await many.connect();
    const publishes = (): number[] => socket.frames.slice(1);
    await publishOneByOne(4);
    expect(publishes()).toEqual([1, 1, 1, 1]);
    socket.error(socket.asked("publish")[3]?.id ?? 0, "RATE_LIMIT_EXCEEDED", { retryable: true, retryAfterMs: 600 });
    socket.publishedFrom(1);
    await many.after(630);
    socket.publishedFrom(1);
    await turn();
    expect(publishes()).toEqual([1, 1, 1, 1, 1]);
    await publishOneByOne(2);
    socket.publishedFrom(1);
    await turn();
    expect(publishes()).toEqual([1, 1, 1, 1, 1, 1, 1]);
    await publishOneByOne(4);
    expect(publishes().slice(7)).toEqual([1, 1]);
    socket.publishedFrom(1);
    await turn();
    expect(publishes().slice(7)).toEqual([1, 1, 2]);
    await many.client.close();
  });

  it("given a success, when the server cannot do it once more, then pauses begin anew", async () => {
    const socket = await server.connect();
    void channel.subscribe().catch(() => undefined);
    await turn();
    socket.subscribed("project:42");
    for (const data of [1, 2]) void channel.publish(data).catch(() => undefined);
    await turn();
    for (const { id } of socket.asked("publish")) socket.error(id, "UNAVAILABLE", { retryable: true });
    await server.after(225);
    socket.error(socket.asked("publish").at(-1)?.id ?? 0, "UNAVAILABLE", { retryable: true });
    await server.after(350);
    const value = { position: at(1), messageId: "m-1" };
    socket.say({ replyTo: socket.asked("publish").at(-1)?.id ?? 0, body: { case: "published", value } });
    await turn();
    expect(socket.asked("publish")).toHaveLength(5);
    socket.error(socket.asked("publish").at(-1)?.id ?? 0, "UNAVAILABLE", { retryable: true });
    await server.after(225);
    expect(socket.asked("publish")).toHaveLength(6);
  });

  it("given pauses that have grown, when another connection serves, then they begin anew", async () => {
    const socket = await server.connect();
    void channel.subscribe().catch(() => undefined);
    await turn();
    socket.subscribed("project:42");
    void channel.publish(1).catch(() => undefined);
    await turn();
    for (const pauseMs of [225, 350]) {
      socket.error(socket.asked("publish").at(-1)?.id ?? 0, "UNAVAILABLE", { retryable: true });
      await server.after(pauseMs);
    }
    socket.drop();
    const next = await server.reconnect();
    next.subscribed("project:42");
    await turn();
    next.error(next.asked("publish")[0]?.id ?? 0, "UNAVAILABLE", { retryable: true });
    await server.after(225);
    expect(next.asked("publish")).toHaveLength(2);
  });

  it("given any number of successes, when much waits, then no more than 256 are on their way", async () => {
    const many = new ScriptedServer();
    const socket = await many.connect();
    for (let index = 0; index < 600; index++)
      void many.client
        .channel("c")
        .publish(index)
        .catch(() => undefined);
    await turn();
    socket.publishedFrom(1);
    await turn();
    expect(socket.asked("publish")).toHaveLength(512);
    await many.client.close();
  });

  it("given a pause, when the connection is lost, then the next one begins without it, at full speed, and with pauses of its own", async () => {
    const socket = await server.connect();
    for (const data of [1, 2, 3]) void channel.publish(data).catch(() => undefined);
    await turn();
    for (const { id } of socket.asked("publish"))
      socket.error(id, "RATE_LIMIT_EXCEEDED", { retryable: true, retryAfterMs: 600 });
    socket.drop();
    const next = await server.reconnect();
    expect(next.asked("publish")).toHaveLength(3);
    for (const { id } of next.asked("publish"))
      next.error(id, "RATE_LIMIT_EXCEEDED", { retryable: true, retryAfterMs: 900 });
    await server.after(944);
    expect(next.asked("publish")).toHaveLength(3);
    await server.after(1);
    expect(next.asked("publish")).toHaveLength(4);
  });

  it("given a publish that was sent late, when its wait would be over, then it has all the time for its answer", async () => {
    const brief = new ScriptedServer({ maxPublishWaitMs: 10_000 });
    const socket = await brief.dial();
    const outcomes = [1, 2].map((data) => outcomeOf(brief.client.channel("c").publish(data)));
    await brief.after(9000);
    socket.welcome();
    await brief.after(20_000);
    socket.publication("tenant", 1);
    await brief.after(9999);
    expect(outcomes.map(({ now }) => now)).toEqual(["open", "open"]);
    socket.publishedFrom(1);
    await turn();
    expect(outcomes.map(({ now }) => now)).toEqual(["at 1", "at 2"]);
    await brief.client.close();
  });

  it("given a publish that was sent late, when it is refused for now after its wait, then it has expired", async () => {
    const brief = new ScriptedServer({ maxPublishWaitMs: 10_000 });
    const socket = await brief.dial();
    const outcome = outcomeOf(brief.client.channel("c").publish(1));
    await brief.after(9000);
    socket.welcome();
    await brief.after(2000);
    expect(outcome.now).toBe("open");
    socket.error(socket.asked("publish")[0]?.id ?? 0, "RATE_LIMIT_EXCEEDED", { retryable: true, retryAfterMs: 100 });
    await turn();
    expect(outcome.now).toBe("EXPIRED");
    await brief.client.close();
  });

  it("given an answer without a position, when it comes, then the outcome is unknown", async () => {
    const socket = await server.connect();
    const outcome = outcomeOf(channel.publish(1));
    await turn();
    socket.say({ replyTo: socket.asked("publish")[0]?.id ?? 0, body: { case: "published", value: {} } });
    await turn();
    expect(outcome.now).toBe("OUTCOME_UNKNOWN");
  });

  it("given publishes on their way, when the client is closed, then their outcome is unknown", async () => {
    await server.connect();
    const outcome = outcomeOf(channel.publish(1));
    await turn();
    await server.client.close();
    await turn();
    expect(outcome.now).toBe("OUTCOME_UNKNOWN");
  });

  it("given no answer, when the time is over, then the connection is left, and the next one brings it", async () => {
    const socket = await server.connect();
    void channel.subscribe().catch(() => undefined);
    await turn();
    socket.subscribed("project:42");
    const outcome = outcomeOf(channel.publish(1, { idempotencyKey: "k" }));
    await server.after(20_000);
    socket.publication("tenant", 1);
    await server.after(10_000);
    expect([socket.closedWith, outcome.now]).toEqual([1000, "open"]);
    const next = await server.reconnect();
    next.subscribed("project:42");
    await turn();
    expect(keysOf(next)).toEqual(["k"]);
    next.publishedFrom(1);
    await turn();
    expect(outcome.now).toBe("at 1");
  });

  describe("over a lost connection", () => {
    it("given an epoch that has held, when the client is back, then it asks, and sends again with the same key", async () => {
      const { outcome } = await loseOne();
      const socket = await server.reconnect();
      expect(socket.asked("readHistory")).toMatchObject([
        { value: { channel: "project:42", limit: 1, backward: true } },
      ]);
      expect(keysOf(socket)).toEqual([]);
      topOf(socket, "e1");
      await turn();
      expect(keysOf(socket)).toEqual(["lost"]);
      socket.publishedFrom(2);
      await turn();
      expect(outcome.now).toBe("at 2");
    });

    it("given a connection that is lost before it has told the epoch, when the client is back, then it asks again", async () => {
      const { outcome } = await loseOne();
      (await server.reconnect()).drop();
      await turn();
      expect(outcome.now).toBe("open");
      await server.after(250);
      const socket = await server.reconnect();
      topOf(socket, "e1");
      await turn();
      expect(keysOf(socket)).toEqual(["lost"]);
    });

    it("given several that were lost, when the epoch has held, then they are sent again in their order", async () => {
      const socket = await server.connect();
      void channel.subscribe().catch(() => undefined);
      await turn();
      socket.subscribed("project:42");
      for (const key of ["a", "b", "c"]) void channel.publish(key, { idempotencyKey: key }).catch(() => undefined);
      await turn();
      socket.drop();
      const next = await server.reconnect();
      next.subscribed("project:42");
      await turn();
      expect(keysOf(next)).toEqual(["a", "b", "c"]);
    });

    it("given two channels, when the log of one has begun anew, then what was lost of the other is not given up", async () => {
      const other = server.client.channel("other");
      const socket = await server.connect();
      for (const wanted of [channel, other]) void wanted.subscribe().catch(() => undefined);
      await turn();
      for (const name of ["project:42", "other"]) socket.subscribed(name);
      const outcomes = [channel, other].map((wanted) => outcomeOf(wanted.publish(1)));
      await turn();
      socket.drop();
      const next = await server.reconnect();
      next.subscribed("project:42", { position: at(0, "e2"), top: at(0, "e2"), recovered: false });
      await turn();
      expect(outcomes.map(({ now }) => now)).toEqual(["OUTCOME_UNKNOWN", "open"]);
    });

    it("given an epoch that Lagged has told, when a publish after it was lost, then it is sent again", async () => {
      const socket = await server.connect();
      void channel.subscribe().catch(() => undefined);
      await turn();
      socket.subscribed("project:42");
      socket.say(laggedOf("project:42", at(4, "e2")));
      void channel.publish(1, { idempotencyKey: "lost" }).catch(() => undefined);
      await turn();
      socket.drop();
      const next = await server.reconnect();
      next.subscribed("project:42");
      await turn();
      expect(keysOf(next)).toEqual(["lost"]);
    });

    it("given an epoch that is told after a publish was sent, when that was lost, then it is sent again", async () => {
      const socket = await server.connect();
      void channel.subscribe().catch(() => undefined);
      void channel.publish(1, { idempotencyKey: "lost" }).catch(() => undefined);
      await turn();
      socket.subscribed("project:42");
      socket.drop();
      const next = await server.reconnect();
      next.subscribed("project:42");
      await turn();
      expect(keysOf(next)).toEqual(["lost"]);
    });

    it("given an epoch that nobody ever knew, when it cannot be read either, then the outcome is unknown", async () => {
      const socket = await server.connect();
      const outcome = outcomeOf(channel.publish(1));
      await turn();
      socket.drop();
      const next = await server.reconnect();
      next.error(next.asked("readHistory")[0]?.id ?? 0, "PERMISSION_DENIED");
      await turn();
      expect([outcome.now, keysOf(next)]).toEqual(["OUTCOME_UNKNOWN", []]);
    });

    it("given a publish that was sent twice, when its answer is lost, then its window began when it was sent first", async () => {
      const socket = await server.connect();
      void channel.subscribe().catch(() => undefined);
      await turn();
      socket.subscribed("project:42");
      const outcome = outcomeOf(channel.publish(1));
      await turn();
      socket.error(socket.asked("publish")[0]?.id ?? 0, "RATE_LIMIT_EXCEEDED", { retryable: true, retryAfterMs: 1000 });
      await server.after(10_000);
      expect(socket.asked("publish")).toHaveLength(2);
      socket.drop();
      await server.after(259_999);
      expect(outcome.now).toBe("open");
      await server.after(1);
      expect(outcome.now).toBe("OUTCOME_UNKNOWN");
    });

    it("given another epoch, when the client is back, then the outcome is unknown, and what was never sent is sent", async () => {
      const { outcome } = await loseOne();
      const later = outcomeOf(channel.publish(2, { idempotencyKey: "later" }));
      const socket = await server.reconnect();
      topOf(socket, "e2");
      await turn();
      expect([outcome.now, keysOf(socket)]).toEqual(["OUTCOME_UNKNOWN", ["later"]]);
      socket.publishedFrom(1, "e2");
      await turn();
      expect(later.now).toBe("at 1");
    });

    it("given more publishes than are on their way at a time, when the connection is lost, then only those that were sent are open", async () => {
      const many = new ScriptedServer({ maxPendingPublishes: 300 });
      const socket = await many.connect();
      const outcomes = Array.from({ length: 300 }, (_, index) => outcomeOf(many.client.channel("c").publish(index)));
      await turn();
      expect(socket.asked("publish")).toHaveLength(256);
      socket.drop();
      await many.after(250);
      many.socket.welcome();
      await turn();
      topOf(many.socket, "e1");
      await turn();
      expect(outcomes.map(({ now }) => now)).toEqual([
        ...Array.from({ length: 256 }, () => "OUTCOME_UNKNOWN"),
        ...Array.from({ length: 44 }, () => "open"),
      ]);
      expect(many.socket.asked("publish")).toHaveLength(44);
      await many.client.close();
    });

    it("given a server that cannot say now, when the wait is over, then the client asks again and sends", async () => {
      const { outcome } = await loseOne();
      const socket = await server.reconnect();
      socket.error(socket.asked("readHistory")[0]?.id ?? 0, "RATE_LIMIT_EXCEEDED", {
        retryable: true,
        retryAfterMs: 800,
      });
      await server.after(839);
      expect(socket.asked("readHistory")).toHaveLength(1);
      await server.after(1);
      topOf(socket, "e1");
      await turn();
      socket.publishedFrom(2);
      await turn();
      expect([outcome.now, keysOf(socket)]).toEqual(["at 2", ["lost"]]);
    });

    it("given more channels than the rate takes, when their epochs are asked for after the wait, then one at a time", async () => {
      const socket = await server.connect();
      const names = ["a", "b", "c", "d"];
      for (const name of names) {
        const subscribed = server.client.channel(name).subscribe();
        await turn();
        socket.subscribed(name);
        await subscribed;
        server.client.channel(name).unsubscribe();
      }
      const outcomes = names.map((name) => outcomeOf(server.client.channel(name).publish(1)));
      await turn();
      socket.drop();
      const next = await server.reconnect();
      const refused = { retryable: true, retryAfterMs: 600 };
      for (const { id, value } of next.asked("readHistory")) {
        if (["a", "b"].includes(value.channel)) topOf(next, "e1", id);
        else next.error(id, "RATE_LIMIT_EXCEEDED", refused);
      }
      await turn();
      for (const { id } of next.asked("publish")) next.error(id, "RATE_LIMIT_EXCEEDED", refused);
      await server.after(629);
      expect(next.asked("readHistory")).toHaveLength(4);
      await server.after(1);
      topOf(next, "e1");
      await turn();
      topOf(next, "e1");
      await turn();
      expect(next.asked("readHistory").map(({ value }) => value.channel)).toEqual(["a", "b", "c", "d", "c", "d"]);
      for (let round = 0; round < 2; round++) {
        next.publishedFrom(2);
        await turn();
      }
      expect(outcomes.map(({ now }) => now.slice(0, 2))).toEqual(["at", "at", "at", "at"]);
    });

    it("given no answer to what the epoch is, when the time is over, then it is asked on another connection", async () => {
      const { outcome } = await loseOne();
      const silent = await server.reconnect();
      await server.after(20_000);
      silent.publication("tenant", 1);
      await server.after(10_000);
      expect([silent.closedWith, outcome.now]).toEqual([1000, "open"]);
      const socket = await server.reconnect();
      topOf(socket, "e1");
      await turn();
      expect(keysOf(socket)).toEqual(["lost"]);
    });

    it("given a publish whose answer was lost, when it is refused the second time, then the outcome is unknown, and the refusal is the cause", async () => {
      const socket = await server.connect();
      void channel.subscribe().catch(() => undefined);
      await turn();
      socket.subscribed("project:42");
      const published = channel.publish(1);
      await turn();
      socket.drop();
      const next = await server.reconnect();
      next.subscribed("project:42");
      await turn();
      next.error(next.asked("publish")[0]?.id ?? 0, "PERMISSION_DENIED");
      await expect(published).rejects.toMatchObject({
        code: "OUTCOME_UNKNOWN",
        cause: { code: "PERMISSION_DENIED", errorId: "e-1" },
      });
    });

    it("given a client that may not read history, when it is back, then the outcome is unknown", async () => {
      const { outcome } = await loseOne();
      const socket = await server.reconnect();
      socket.error(socket.asked("readHistory")[0]?.id ?? 0, "PERMISSION_DENIED");
      await turn();
      expect(outcome.now).toBe("OUTCOME_UNKNOWN");
    });

    it("given a subscription, when the client is back, then its answer tells the epoch and history is not asked", async () => {
      void channel.subscribe().catch(() => undefined);
      const socket = await server.connect();
      socket.subscribed("project:42");
      const outcome = outcomeOf(channel.publish(1, { idempotencyKey: "lost" }));
      await turn();
      socket.drop();
      const next = await server.reconnect();
      expect(keysOf(next)).toEqual([]);
      next.subscribed("project:42");
      await turn();
      expect([keysOf(next), next.asked("readHistory")]).toEqual([["lost"], []]);
      next.publishedFrom(1);
      await turn();
      expect(outcome.now).toBe("at 1");
    });

    it("given a subscription that is left before it was answered, when the client is back, then history is asked", async () => {
      void channel.subscribe().catch(() => undefined);
      const socket = await server.connect();
      socket.subscribed("project:42");
      void channel.publish(1, { idempotencyKey: "lost" }).catch(() => undefined);
      await turn();
      socket.drop();
      const next = await server.reconnect();
      channel.unsubscribe();
      await turn();
      topOf(next, "e1");
      await turn();
      expect(keysOf(next)).toEqual(["lost"]);
    });

    it("given an epoch that nobody knew when it was sent, when the client is back, then the outcome is unknown", async () => {
      const socket = await server.connect();
      const outcome = outcomeOf(channel.publish(1));
      await turn();
      socket.drop();
      topOf(await server.reconnect(), "e1");
      await turn();
      expect(outcome.now).toBe("OUTCOME_UNKNOWN");
    });

    it("given the order of publishes, when some were lost, then they go first, and other channels do not wait", async () => {
      await loseOne();
      void channel.publish(2, { idempotencyKey: "next" }).catch(() => undefined);
      void server.client
        .channel("other")
        .publish(1, { idempotencyKey: "other" })
        .catch(() => undefined);
      const socket = await server.reconnect();
      expect(keysOf(socket)).toEqual(["other"]);
      topOf(socket, "e1");
      await turn();
      expect(keysOf(socket)).toEqual(["other", "lost", "next"]);
    });

    it("given timers that are late, when the client is back after the idempotency window, then nothing is sent again", async () => {
      const { clock } = server;
      let aheadMs = 0;
      server = new ScriptedServer({
        clock: { monotonic: () => clock.monotonic() + aheadMs, after: (ms, callback) => clock.after(ms, callback) },
      });
      channel = server.client.channel("project:42");
      void server.client.connect();
      clock.advance(0);
      await turn();
      server.socket.welcome();
      void channel.subscribe();
      await turn();
      server.socket.subscribed("project:42");
      const outcome = outcomeOf(channel.publish(1));
      await turn();
      server.socket.drop();
      clock.advance(250);
      await turn();
      aheadMs = 270_000;
      server.socket.welcome();
      await turn();
      server.socket.subscribed("project:42");
      await turn();
      expect([outcome.now, keysOf(server.socket)]).toEqual(["OUTCOME_UNKNOWN", []]);
    });

    it("given the idempotency window, when nine tenths of it are over before the client is back, then the outcome is unknown", async () => {
      const { outcome } = await loseOne();
      await server.after(269_999);
      expect(outcome.now).toBe("open");
      await server.after(1);
      expect(outcome.now).toBe("OUTCOME_UNKNOWN");
    });

    it("given a connection that ended because a message was too big, when the client is back, then nothing of it is sent again", async () => {
      const socket = await server.connect();
      const outcome = outcomeOf(channel.publish(1));
      await turn();
      socket.drop(1009);
      await turn();
      expect(outcome.now).toBe("OUTCOME_UNKNOWN");
      expect(keysOf(await server.reconnect())).toEqual([]);
    });

    it("given a client that is closed, when publishes are open, then those that were sent are unknown and the others closed", async () => {
      const { outcome } = await loseOne();
      const never = outcomeOf(channel.publish(2));
      await server.client.close();
      await turn();
      expect([outcome.now, never.now]).toEqual(["OUTCOME_UNKNOWN", "CLOSED"]);
      expect(server.clock.pending).toBe(0);
    });

    it("given a server that stops the client, when publishes wait, then they are rejected with its reason", async () => {
      const { outcome } = await loseOne();
      const never = outcomeOf(channel.publish(2));
      await server.after(250);
      server.socket.drop(4503);
      await turn();
      expect([outcome.now, never.now]).toEqual(["OUTCOME_UNKNOWN", "STOPPED"]);
      await expect(channel.publish(3)).rejects.toMatchObject({ closeCode: 4503 });
    });
  });

  it("given UNAVAILABLE, when the wait is over, then the epoch is checked and the same key sent again", async () => {
    const socket = await server.connect();
    const first = channel.publish(0);
    await turn();
    socket.publishedFrom(1);
    await first;
    const outcome = outcomeOf(channel.publish(1, { idempotencyKey: "k" }));
    await turn();
    socket.error(socket.asked("publish").at(-1)?.id ?? 0, "UNAVAILABLE", { retryable: true, retryAfterMs: 500 });
    await server.after(499);
    expect(keysOf(socket)).toHaveLength(2);
    await server.after(1);
    expect(keysOf(socket).at(-1)).toBe("k");
    expect(keysOf(socket)).toHaveLength(3);
    socket.publishedFrom(1);
    await turn();
    expect(outcome.now).toBe("at 3");
  });

  it("given several channels whose epochs the connection has told, when one cannot be published to now, then nothing is asked", async () => {
    const socket = await server.connect();
    for (const name of ["other", "project:42"]) {
      const published = server.client.channel(name).publish(0);
      await turn();
      const value = { position: at(1), messageId: "m" };
      socket.say({ replyTo: socket.asked("publish").at(-1)?.id ?? 0, body: { case: "published", value } });
      await published;
    }
    void channel.publish(1, { idempotencyKey: "k" }).catch(() => undefined);
    await turn();
    socket.error(socket.asked("publish").at(-1)?.id ?? 0, "CONNECTION_CLOSED", { retryable: true });
    await server.after(225);
    expect([keysOf(socket).slice(-2), socket.asked("readHistory")]).toEqual([["k", "k"], []]);
  });
});
