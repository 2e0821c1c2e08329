import type { HistoryPage } from "@pm/proto";
import { RecoveryMiss } from "@pm/proto";
import { describe, expect, test } from "vitest";
import { MessageClient, type MessageToSend, outline } from "../../test/support/message-client.ts";
import { SimulatedServer } from "../../test/support/simulated-server.ts";
import type { StreamPosition } from "../log/stream-position.ts";
import { channelRef, draft, userRef, WHOLE } from "../testing/broker-contract/broker-fixture.ts";

interface ReadValue {
  readonly channel?: string;
  readonly since?: StreamPosition;
  readonly limit?: number;
  readonly backward?: boolean;
}

function read(id: number, { channel = "room:1", since, ...fields }: ReadValue = {}): MessageToSend {
  const from = since === undefined ? {} : { since: { ...since, offset: BigInt(since.offset) } };
  return { id, body: { case: "readHistory", value: { channel, ...fields, ...from } } };
}

/** A server with a log of ten publications in room:1, of which six are retained, and a position in it. */
async function serverWithLog(): Promise<{ simulation: SimulatedServer; at: (offset: number) => StreamPosition }> {
  const simulation = new SimulatedServer({ channelKinds: { defaults: { retainedCount: 6 } } });
  const { broker } = simulation.server;
  const positions: StreamPosition[] = [];
  for (let n = 1; n <= 10; n++) positions.push((await broker.append(channelRef(), draft(String(n)))).position);
  const at = (offset: number): StreamPosition => {
    const position = positions[offset - 1];
    if (position === undefined) throw new RangeError(`there was no publication ${offset}`);
    return position;
  };
  return { simulation, at };
}

async function pageOf(client: MessageClient, request: ReadValue): Promise<HistoryPage> {
  const [answer] = await client.exchange(read(1, request));
  if (answer?.body.case !== "historyPage") throw new Error(`answered with ${outline(answer ? [answer] : []).join()}`);
  return answer.body.value;
}

function offsetsIn({ publications }: HistoryPage): number[] {
  return publications.map(({ offset }) => Number(offset));
}

function wire({ epoch, offset, check }: StreamPosition): object {
  return { epoch, offset: BigInt(offset), check };
}

describe.each(["proto", "json"] as const)("a page in %s", (encoding) => {
  test.each([
    ["forward from the oldest", {}, undefined, [5, 6, 7, 8, 9, 10], 10, false],
    ["forward, limited", { limit: 2 }, undefined, [5, 6], 6, true],
    ["forward from a position", { limit: 3 }, 7, [8, 9, 10], 10, false],
    ["forward from the base", { limit: 1 }, 4, [5], 5, true],
    ["forward from the top", {}, 10, [], 10, false],
    ["backward from the newest", { limit: 2, backward: true }, undefined, [10, 9], 9, true],
    ["backward to the end", { backward: true }, undefined, [10, 9, 8, 7, 6, 5], 5, false],
    ["backward from a position", { limit: 2, backward: true }, 8, [7, 6], 6, true],
    ["backward from the oldest", { backward: true }, 5, [], 5, false],
    ["backward from the base", { backward: true }, 4, [], 4, false],
  ])(
    "given a log, when it is read %s, then it has these, where it ended, and whether there are more",
    async (_, request, since, offsets, after, more) => {
      const { simulation, at } = await serverWithLog();
      await using server = simulation;
      using client = await MessageClient.open(server, "t1.u1", encoding);
      const page = await pageOf(client, { ...request, ...(since !== undefined && { since: at(since) }) });
      expect(offsetsIn(page)).toEqual(offsets);
      expect(page).toMatchObject({ more, miss: RecoveryMiss.UNSPECIFIED });
      expect([page.position, page.top]).toMatchObject([wire(at(after)), wire(at(10))]);
    },
  );

  test("given a publication with all its fields, when it is read, then they are what was published", async () => {
    await using simulation = new SimulatedServer();
    using client = await MessageClient.open(simulation, "t1.u1", encoding);
    const fields = { event: "moved", traceParent: "00-1-2-01", publisher: "ann" };
    const { position, messageId } = await simulation.server.broker.append(channelRef(), draft('"\u20ac"', fields));
    expect((await pageOf(client, {})).publications).toMatchObject([
      {
        channel: "room:1",
        offset: 1n,
        check: position.check,
        payload: { kind: { case: "json", value: '"\u20ac"' } },
        ...fields,
        messageId,
        publishedAtMs: BigInt(simulation.clock.now()),
      },
    ]);
  });
});

describe("the size of a page", () => {
  test.each([
    ["proto", 50],
    ["proto", 2000],
    ["json", 50],
    ["json", 2000],
  ] as const)(
    "given %s and publications of %i bytes, when a page is full, then it has 256 KiB at most",
    async (...of) => {
      const [encoding, bytes] = of;
      await using simulation = new SimulatedServer();
      for (let n = 0; n < 1000; n++) await simulation.server.broker.append(channelRef(), draft("x".repeat(bytes)));
      using client = await MessageClient.open(simulation, "t1.u1", encoding);
      const [connection] = simulation.server.connections.find();
      const before = connection?.outbox.bytesOut ?? 0;
      const page = await pageOf(client, { limit: 1000 });
      expect(page.more).toBe(bytes === 2000);
      expect((connection?.outbox.bytesOut ?? 0) - before).toBeLessThanOrEqual(262_144);
    },
  );
});

describe("a position that is not in the log", () => {
  const forward = { backward: false };
  const backward = { backward: true };
  test.each([
    ["of another epoch", forward, (at: StreamPosition) => ({ ...at, epoch: "e" }), RecoveryMiss.EPOCH_CHANGED],
    ["of another epoch", backward, (at: StreamPosition) => ({ ...at, epoch: "e" }), RecoveryMiss.EPOCH_CHANGED],
    [
      "with another tag",
      forward,
      (at: StreamPosition) => ({ ...at, check: (at.check ^ 1) >>> 0 }),
      RecoveryMiss.CHECK_MISMATCH,
    ],
    [
      "with another tag",
      backward,
      (at: StreamPosition) => ({ ...at, check: (at.check ^ 1) >>> 0 }),
      RecoveryMiss.CHECK_MISMATCH,
    ],
    ["ahead of it", forward, (at: StreamPosition) => ({ ...at, offset: 99 }), RecoveryMiss.AHEAD],
    ["ahead of it", backward, (at: StreamPosition) => ({ ...at, offset: 99 }), RecoveryMiss.AHEAD],
  ])(
    "given one %s, when it is read from with %j, then the page is empty, says why, and ends at the top",
    async (_, direction, since, miss) => {
      const { simulation, at } = await serverWithLog();
      await using server = simulation;
      using client = await MessageClient.open(server);
      const page = await pageOf(client, { ...direction, since: since(at(8)) });
      expect(page).toMatchObject({ publications: [], more: false, miss });
      expect(page.position).toMatchObject(wire(at(10)));
    },
  );

  test("given the base with another tag, when it is read from either way, then the page is empty and says why", async () => {
    const { simulation, at } = await serverWithLog();
    await using server = simulation;
    using client = await MessageClient.open(server);
    const since = { ...at(4), check: (at(4).check ^ 1) >>> 0 };
    for (const direction of [forward, backward]) {
      const page = await pageOf(client, { ...direction, since });
      expect(page).toMatchObject({ publications: [], more: false, miss: RecoveryMiss.CHECK_MISMATCH });
    }
  });

  test("given one that retention took, when it is read from, then forward from the oldest, and backward there is nothing", async () => {
    const { simulation, at } = await serverWithLog();
    await using server = simulation;
    using client = await MessageClient.open(server);
    const page = await pageOf(client, { since: at(2), limit: 2 });
    expect([offsetsIn(page), page.miss, page.more]).toEqual([[5, 6], RecoveryMiss.RETENTION, true]);
    const before = await pageOf(client, { since: at(2), backward: true });
    expect([offsetsIn(before), before.miss, before.more]).toEqual([[], RecoveryMiss.RETENTION, false]);
    expect(before.position).toMatchObject(wire(at(4)));
  });

  test("given a log that was never written to, when it is read either way, then the page is empty, at its beginning", async () => {
    await using simulation = new SimulatedServer();
    using client = await MessageClient.open(simulation);
    for (const backwards of [false, true]) {
      const page = await pageOf(client, { channel: "new", backward: backwards });
      expect(page).toMatchObject({
        publications: [],
        more: false,
        miss: 0,
        position: { offset: 0n },
        top: { offset: 0n },
      });
    }
  });
});

describe("who may read", () => {
  test.each([
    ["subscribe+publish", "room:1", "1 error PERMISSION_DENIED"],
    ["history", "room:1", "1 historyPage"],
    ["nothing", "tenant", "1 historyPage"],
    ["nothing", "user", "1 historyPage"],
  ])("given a token for %s, when it reads %s, then the answer is %s", async (grants, channel, expected) => {
    const { simulation } = await serverWithLog();
    await using server = simulation;
    using client = await MessageClient.open(server, `t1.u1.${grants}`);
    expect(outline(await client.exchange(read(1, { channel })))).toEqual([expected]);
  });

  test("given logs of other tenants and users by the same name, when they are read, then each sees its own", async () => {
    const { simulation } = await serverWithLog();
    await using server = simulation;
    await server.server.broker.append(userRef("ann"), draft("1"));
    using other = await MessageClient.open(server, "t2.u1");
    using bob = await MessageClient.open(server, "t1.bob");
    using ann = await MessageClient.open(server, "t1.ann");
    expect(offsetsIn(await pageOf(other, {}))).toEqual([]);
    expect(offsetsIn(await pageOf(bob, { channel: "user" }))).toEqual([]);
    expect(offsetsIn(await pageOf(ann, { channel: "user" }))).toEqual([1]);
  });
});

test("given a page that is read, when it was answered, then no channel is open for it", async () => {
  const { simulation } = await serverWithLog();
  await using server = simulation;
  using client = await MessageClient.open(server);
  const before = server.server.broadcaster.channelCount;
  await pageOf(client, {});
  expect(server.server.broadcaster.channelCount).toBe(before);
  expect((await server.server.broker.read(channelRef(), WHOLE)).top.offset).toBe(10);
});
