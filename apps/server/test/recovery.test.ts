import { RecoveryMiss } from "@pm/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jsonOf, ProtocolClient, type ValueOf } from "./support/protocol-client.ts";
import { ServerProcess } from "./support/server-process.ts";
import { expectUnharmed } from "./support/unharmed.ts";

const RETAINED = 10;
const PUBLISHED = 15;

type Position = NonNullable<ValueOf<"published">["position"]>;

let server: ServerProcess;
let client: ProtocolClient;
/** The positions of the publications of `log`, and of its start: the oldest five are no longer retained. */
let positions: Position[];

beforeAll(async () => {
  server = await ServerProcess.start({ BROADCAST_CAPACITY: String(RETAINED), RATE_LIMIT_REQUESTS: "100000" });
  client = await ProtocolClient.connect(server, { user: "writer" });
  const { top } = await client.subscribe("log");
  positions = [top as Position];
  for (let n = 1; n <= PUBLISHED; n += 1) positions.push((await client.publish("log", String(n))).position as Position);
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await expectUnharmed(server);
  await server[Symbol.asyncDispose]();
});

function at(offset: number): Position {
  const position = positions[offset];
  if (position === undefined) throw new RangeError(`nothing was published at ${offset}`);
  return position;
}

const plain = ({ epoch, offset, check }: Position): object => ({ epoch, offset, check });

/** Subscribes on a connection of its own, and gives the answer and the offsets that follow it. */
async function follow(value: object): Promise<{ subscribed: ValueOf<"subscribed">; offsets: number[] }> {
  await using reader = await ProtocolClient.connect(server, { user: "reader" });
  const subscribed = await reader.expect("subscribed", { case: "subscribe", value: { channel: "log", ...value } });
  const offsets: number[] = [];
  while (offsets.length < Number((subscribed.top?.offset ?? 0n) - (subscribed.position?.offset ?? 0n))) {
    const publication = await reader.take("publication");
    offsets.push(Number(publication.offset));
    expect([publication.check, jsonOf(publication)]).toEqual([
      at(Number(publication.offset)).check,
      String(publication.offset),
    ]);
  }
  return { subscribed, offsets };
}

const upTo = (first: number): number[] => Array.from({ length: PUBLISHED - first + 1 }, (_, n) => first + n);

describe("Subscribe", () => {
  it("given neither since nor rewind, when a client subscribes, then delivery continues at the top", async () => {
    const { subscribed, offsets } = await follow({});
    expect(subscribed).toMatchObject({ recovered: false, miss: RecoveryMiss.UNSPECIFIED, missedCount: 0n });
    expect([subscribed.position, subscribed.top]).toMatchObject([plain(at(15)), plain(at(15))]);
    expect(offsets).toEqual([]);
  });

  it.each([
    [3, 13],
    [10, 6],
    [1_000, 6],
  ])("given rewind %d, when a client subscribes, then delivery begins with %d", async (rewind, first) => {
    const { subscribed, offsets } = await follow({ rewind });
    expect(subscribed).toMatchObject({ recovered: false, miss: RecoveryMiss.UNSPECIFIED, missedCount: 0n });
    expect(offsets).toEqual(upTo(first));
  });

  it.each([5, 10, 14, 15])(
    "given a valid since at %d, when a client subscribes, then everything after it follows",
    async (offset) => {
      const { subscribed, offsets } = await follow({ since: at(offset) });
      expect(subscribed).toMatchObject({
        recovered: true,
        miss: RecoveryMiss.UNSPECIFIED,
        missedCount: 0n,
        position: plain(at(offset)),
      });
      expect(offsets).toEqual(upTo(offset + 1));
    },
  );

  it("given a since without a check, when a client subscribes, then epoch and offset decide", async () => {
    const { subscribed, offsets } = await follow({ since: { ...at(12), check: 0 } });
    expect(subscribed.recovered).toBe(true);
    expect(offsets).toEqual([13, 14, 15]);
  });

  it.each([
    [0, 5n],
    [2, 3n],
    [4, 1n],
  ])(
    "given a since at %d below what is retained, when a client subscribes, then %s are told as missed and the oldest follows",
    async (offset, missedCount) => {
      const { subscribed, offsets } = await follow({ since: at(offset) });
      expect(subscribed).toMatchObject({
        recovered: false,
        miss: RecoveryMiss.RETENTION,
        missedCount,
        position: plain(at(5)),
      });
      expect(offsets).toEqual(upTo(6));
    },
  );

  it.each([
    ["another epoch", () => ({ ...at(12), epoch: "another" }), RecoveryMiss.EPOCH_CHANGED],
    ["another tag", () => ({ ...at(12), check: (at(12).check ^ 1) >>> 0 }), RecoveryMiss.CHECK_MISMATCH],
    ["an offset beyond the top", () => ({ ...at(15), offset: 16n }), RecoveryMiss.AHEAD],
    ["an offset far beyond the top", () => ({ ...at(15), offset: 2n ** 52n }), RecoveryMiss.AHEAD],
  ])(
    "given a since with %s, when a client subscribes, then it is told why and continues at the top",
    async (_name, since, miss) => {
      const { subscribed, offsets } = await follow({ since: since() });
      expect(subscribed).toMatchObject({ recovered: false, miss, missedCount: 0n, position: plain(at(15)) });
      expect(offsets).toEqual([]);
    },
  );

  it("given a subscribed channel, when it is subscribed again with since, then delivery moves back; without it, the position is told", async () => {
    await using reader = await ProtocolClient.connect(server, { user: "mover" });
    await reader.subscribe("log");
    expect(
      (await reader.expect("subscribed", { case: "subscribe", value: { channel: "log", since: at(12) } })).recovered,
    ).toBe(true);
    for (const offset of [13n, 14n, 15n]) expect((await reader.take("publication")).offset).toBe(offset);
    const again = await reader.expect("subscribed", { case: "subscribe", value: { channel: "log", rewind: 5 } });
    expect([again.position, again.top]).toMatchObject([plain(at(15)), plain(at(15))]);
    await reader.expect("pong", { case: "ping", value: {} });
    expect(reader.received("publication")).toHaveLength(3);
  });

  it("given a connection that was cut, when its client continues on the next one, then it has everything once and in order", async () => {
    const first = await ProtocolClient.connect(server, { user: "cut" });
    await first.subscribe("cut");
    await client.publish("cut", "1");
    const { offset, check } = await first.take("publication");
    const epoch = first.received("subscribed").at(-1)?.position?.epoch ?? "";
    first.terminate();
    for (let n = 2; n <= 8; n += 1) await client.publish("cut", String(n));
    await using next = await ProtocolClient.connect(server, { user: "cut" });
    expect(
      (
        await next.expect("subscribed", {
          case: "subscribe",
          value: { channel: "cut", since: { epoch, offset, check } },
        })
      ).recovered,
    ).toBe(true);
    await client.publish("cut", "9");
    for (let n = 2; n <= 9; n += 1) expect(jsonOf(await next.take("publication"))).toBe(String(n));
  });

  it("given another process, when a client continues with a position of the old one, then the epoch has changed", async () => {
    await using other = await ServerProcess.start();
    await using reader = await ProtocolClient.connect(other);
    const subscribed = await reader.expect("subscribed", {
      case: "subscribe",
      value: { channel: "log", since: at(15) },
    });
    expect(subscribed).toMatchObject({ recovered: false, miss: RecoveryMiss.EPOCH_CHANGED });
  });
});

function read(value: object): Promise<ValueOf<"historyPage">> {
  return client.expect("historyPage", { case: "readHistory", value: { channel: "log", ...value } });
}

const offsetsOf = (page: ValueOf<"historyPage">): number[] => page.publications.map(({ offset }) => Number(offset));

describe("ReadHistory", () => {
  it("given a log, when it is read forward page by page, then every retained publication comes once, in order", async () => {
    const first = await read({ limit: 4 });
    expect([offsetsOf(first), first.more, first.miss]).toEqual([[6, 7, 8, 9], true, RecoveryMiss.UNSPECIFIED]);
    expect([first.position, first.top]).toMatchObject([plain(at(9)), plain(at(15))]);
    const second = await read({ limit: 4, since: first.position });
    expect([offsetsOf(second), second.more]).toEqual([[10, 11, 12, 13], true]);
    const third = await read({ limit: 4, since: second.position });
    expect([offsetsOf(third), third.more]).toEqual([[14, 15], false]);
    const end = await read({ limit: 4, since: third.position });
    expect([offsetsOf(end), end.more]).toEqual([[], false]);
    expect(end.position).toMatchObject(plain(at(15)));
  });

  it("given a log, when it is read backward page by page, then it comes from the newest to the oldest retained", async () => {
    const first = await read({ limit: 6, backward: true });
    expect([offsetsOf(first), first.more]).toEqual([[15, 14, 13, 12, 11, 10], true]);
    expect(first.position).toMatchObject(plain(at(10)));
    const second = await read({ limit: 6, backward: true, since: first.position });
    expect([offsetsOf(second), second.more]).toEqual([[9, 8, 7, 6], false]);
  });

  it("given a since below what is retained, when history is read, then RETENTION is told in both directions", async () => {
    const forward = await read({ since: at(2) });
    expect([forward.miss, offsetsOf(forward)]).toEqual([RecoveryMiss.RETENTION, upTo(6)]);
    const backward = await read({ since: at(2), backward: true });
    expect([backward.miss, offsetsOf(backward), backward.more]).toEqual([RecoveryMiss.RETENTION, [], false]);
    expect(backward.position).toMatchObject(plain(at(5)));
  });

  it.each([true, false])(
    "given a since that is not valid, when history is read with backward %s, then the miss is told in an empty page at the top",
    async (backward) => {
      const cases = [
        [{ ...at(12), epoch: "another" }, RecoveryMiss.EPOCH_CHANGED],
        [{ ...at(12), check: (at(12).check ^ 1) >>> 0 }, RecoveryMiss.CHECK_MISMATCH],
        [{ ...at(15), offset: 99n }, RecoveryMiss.AHEAD],
      ] as const;
      for (const [since, miss] of cases) {
        const page = await read({ since, backward });
        expect([page.miss, offsetsOf(page), page.more]).toEqual([miss, [], false]);
        expect(page.position).toMatchObject(plain(at(15)));
      }
    },
  );

  it("given more than 256 KiB in a log, when it is read, then a page stops before that and says that there is more", async () => {
    for (let n = 0; n < 9; n += 1) await client.publish("bulky", JSON.stringify("x".repeat(60_000)));
    const page = await client.expect("historyPage", { case: "readHistory", value: { channel: "bulky" } });
    expect(page.more).toBe(true);
    expect(page.publications.length).toBeGreaterThanOrEqual(1);
    expect(page.publications.length).toBeLessThanOrEqual(4);
    const rest = await client.expect("historyPage", {
      case: "readHistory",
      value: { channel: "bulky", since: page.position },
    });
    expect(rest.publications[0]?.offset).toBe((page.position?.offset ?? 0n) + 1n);
  });

  it("given an empty log, when it is read, then the page is empty in both directions", async () => {
    for (const backward of [true, false]) {
      const page = await client.expect("historyPage", {
        case: "readHistory",
        value: { channel: "never-used", backward },
      });
      expect([page.publications, page.more, page.miss, page.top?.offset, page.position?.offset]).toEqual([
        [],
        false,
        RecoveryMiss.UNSPECIFIED,
        0n,
        0n,
      ]);
    }
  });

  it("given no limit, when more than 100 are retained, then the page has 100", async () => {
    await using roomy = await ServerProcess.start({ RATE_LIMIT_REQUESTS: "1000" });
    await using writer = await ProtocolClient.connect(roomy);
    for (let n = 0; n < 120; n += 1) await writer.publish("many", "1");
    const page = await writer.expect("historyPage", { case: "readHistory", value: { channel: "many" } });
    expect([page.publications.length, page.more]).toEqual([100, true]);
  });
});
