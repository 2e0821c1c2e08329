import { parseChannelName, parseTenantId } from "@pm/core";
import { RecoveryMiss } from "@pm/proto";
import { describe, expect, it } from "vitest";
import type { StreamPosition } from "../log/stream-position.ts";
import type { HistoryEvent, LaggedEvent, PublicationEvent, SubscribedEvent } from "./history.ts";
import { HistoryChecker } from "./history-checker.ts";
import type { ViolationKind } from "./violation.ts";

const LOG = { tenant: parseTenantId("t1"), name: parseChannelName("room:1") };
const OTHER_CHANNEL = { ...LOG, name: parseChannelName("room:2") };
const OTHER_TENANT = { ...LOG, tenant: parseTenantId("t2") };
const NOT_ASKED = { since: undefined, rewind: 0, recovered: false, miss: RecoveryMiss.UNSPECIFIED, missedCount: 0 };

/** The tag of an offset, the same for all who see it. */
function at(offset: number, epoch = "e1"): StreamPosition {
  return { epoch, offset, check: 1000 + offset };
}

function idAt(offset: number, epoch = "e1"): string {
  return `${epoch}-${offset}`;
}

function publishing(payloadId: string, log = LOG): HistoryEvent {
  return { kind: "publishing", reader: "p", log, payloadId };
}

function published(offset: number, epoch = "e1"): HistoryEvent[] {
  const payloadId = idAt(offset, epoch);
  return [
    publishing(payloadId),
    { kind: "published", reader: "p", log: LOG, payloadId, position: at(offset, epoch), messageId: `m-${payloadId}` },
  ];
}

function subscribed(position: StreamPosition, fields: Partial<SubscribedEvent> = {}, reader = "r"): SubscribedEvent {
  return { kind: "subscribed", reader, log: LOG, position, top: position, ...NOT_ASKED, ...fields };
}

function got(offset: number, fields: Partial<PublicationEvent> = {}, epoch = "e1"): PublicationEvent {
  const payloadId = idAt(offset, epoch);
  const { check } = at(offset);
  return {
    kind: "publication",
    reader: "r",
    log: LOG,
    offset,
    check,
    payloadId,
    messageId: `m-${payloadId}`,
    ...fields,
  };
}

function lagged(position: StreamPosition, missedCount: number, fields: Partial<LaggedEvent> = {}): LaggedEvent {
  return { kind: "lagged", reader: "r", log: LOG, position, missedCount, reason: RecoveryMiss.RETENTION, ...fields };
}

const CONNECTED: HistoryEvent = { kind: "connected", reader: "r" };
const CUT: HistoryEvent = { kind: "disconnected", reader: "r", code: 1006 };
const TEN = Array.from({ length: 10 }, (_, index) => published(index + 1)).flat();

function found(...events: readonly HistoryEvent[]): ViolationKind[] {
  const checker = new HistoryChecker();
  for (const event of [...TEN, CONNECTED, ...events]) checker.record(event);
  return checker.settle().map(({ kind }) => kind);
}

function deliveries(from: number, to: number): PublicationEvent[] {
  return Array.from({ length: to - from + 1 }, (_, index) => got(from + index));
}

describe("HistoryChecker, of histories that keep the promise", () => {
  it("given everything in order, when it is checked, then nothing is found", () => {
    expect(found(subscribed(at(0)), ...deliveries(1, 10))).toEqual([]);
  });

  it("given a cut and a recovery, when it is checked, then nothing is found", () => {
    const recovered = subscribed(at(4), { since: at(4), top: at(10), recovered: true });
    expect(found(subscribed(at(0)), ...deliveries(1, 4), CUT, CONNECTED, recovered, ...deliveries(5, 10))).toEqual([]);
  });

  it("given a gap that Lagged tells of with its size, when it is checked, then nothing is found", () => {
    expect(found(subscribed(at(0)), got(1), lagged(at(7), 6), ...deliveries(8, 10))).toEqual([]);
    const skipped = lagged(at(9), 8, { reason: RecoveryMiss.SKIPPED });
    expect(found(subscribed(at(0)), got(1), skipped, got(10))).toEqual([]);
  });

  it("given a miss of every kind that Subscribed tells of, when it is checked, then nothing is found", () => {
    const missed = (miss: RecoveryMiss, since: StreamPosition, position = at(10), missedCount = 0): SubscribedEvent =>
      subscribed(position, { since, miss, missedCount, top: at(10) });
    expect(found(missed(RecoveryMiss.EPOCH_CHANGED, at(3, "e0")))).toEqual([]);
    expect(found(missed(RecoveryMiss.AHEAD, at(11)))).toEqual([]);
    expect(found(missed(RecoveryMiss.CHECK_MISMATCH, { ...at(3), check: 5 }))).toEqual([]);
    expect(found(missed(RecoveryMiss.RETENTION, at(2), at(7), 5), ...deliveries(8, 10))).toEqual([]);
    expect(found(missed(RecoveryMiss.EPOCH_CHANGED, at(3, "e0"), at(9)), got(10))).toEqual([]);
  });

  it("given a new epoch that Lagged tells of, when it is checked, then nothing is found", () => {
    const told = lagged(at(0, "e2"), 0, { reason: RecoveryMiss.EPOCH_CHANGED });
    const second = got(1, { check: at(1, "e2").check }, "e2");
    expect(found(subscribed(at(10)), told, ...published(1, "e2"), second)).toEqual([]);
  });

  it("given an acknowledgement of an old epoch that is read late, when it is checked, then nothing is found", () => {
    const [asked, answered] = published(1, "e0");
    expect(asked && answered && found(asked, subscribed(at(10)), answered)).toEqual([]);
  });

  it("given a rewind, a channel left and one asked for again, when it is checked, then nothing is found", () => {
    const rewound = subscribed(at(7), { rewind: 3, top: at(10) });
    const left: HistoryEvent = { kind: "unsubscribed", reader: "r", log: LOG };
    expect(found(rewound, ...deliveries(8, 10), left)).toEqual([]);
    expect(found(rewound, got(8), subscribed(at(8), { top: at(10) }), ...deliveries(9, 10))).toEqual([]);
    const moved = subscribed(at(5), { since: at(5), top: at(10), recovered: true });
    expect(found(rewound, got(8), moved, ...deliveries(6, 10))).toEqual([]);
  });

  it("given a log that lost its tail, when its offsets come again with other tags, then nothing is found", () => {
    const again = got(10, { check: 5, payloadId: "again", messageId: "m-again" });
    const lost: HistoryEvent = { kind: "tail-lost", log: LOG, epoch: "e1" };
    expect(found(subscribed(at(8)), got(9), lost, publishing("again"), again)).toEqual([]);
  });

  it("given a reader that is told late of many epochs, when the log has lost the tail of the last one, then nothing is found", () => {
    const lost: HistoryEvent = { kind: "tail-lost", log: LOG, epoch: "e1" };
    const told = Array.from({ length: 20 }, (_, n) =>
      lagged(at(0, `old-${n}`), 0, { reason: RecoveryMiss.EPOCH_CHANGED }),
    );
    const back = lagged(at(9), 0, { reason: RecoveryMiss.EPOCH_CHANGED });
    const position = { ...at(10), check: 5 };
    const again = { kind: "published", reader: "p", log: LOG, payloadId: "y", position, messageId: "m-y" } as const;
    const first = [publishing(idAt(10)), got(10)];
    expect(found(lost, subscribed(at(0, "old")), ...told, back, ...first, publishing("y"), again)).toEqual([]);
  });
});

describe("HistoryChecker, of histories that break the promise", () => {
  it("given an acknowledged publication that never comes, when all is settled, then it is lost", () => {
    expect(found(subscribed(at(0)), ...deliveries(1, 9))).toEqual(["lost"]);
    expect(found(subscribed(at(10)), ...published(11))).toEqual(["lost"]);
  });

  it("given a log that went on in another epoch, when a reader was not told, then that is lost", () => {
    expect(found(subscribed(at(10)), ...published(1, "e2"))).toEqual(["lost"]);
    const told = lagged(at(0, "e2"), 0, { reason: RecoveryMiss.EPOCH_CHANGED });
    expect(found(subscribed(at(10)), told, ...published(1, "e3"))).toEqual(["lost"]);
  });

  it("given a publication that comes twice, when it is checked, then it is duplicated", () => {
    expect(found(subscribed(at(8)), got(9), got(9), got(10))).toEqual(["duplicated"]);
    expect(found(subscribed(at(8)), got(9), got(10), got(9))).toEqual(["duplicated"]);
  });

  it("given a payload at two offsets, when it is checked, then it is duplicated", () => {
    const again = got(11, { payloadId: idAt(10), messageId: "m11" });
    expect(found(subscribed(at(9)), got(10), again)).toEqual(["duplicated"]);
  });

  it("given two publications in the wrong order, when it is checked, then there is a gap, and one is reordered", () => {
    expect(found(subscribed(at(7)), got(9), got(8), got(10))).toEqual(["gap", "reordered"]);
  });

  it("given a publication of another channel, tenant or nobody, when it is checked, then it is foreign", () => {
    const kinds = [OTHER_CHANNEL, OTHER_TENANT].map((log) =>
      found(subscribed(at(10)), publishing("x", log), got(11, { payloadId: "x", messageId: "m" })),
    );
    expect(kinds).toEqual([["foreign"], ["foreign"]]);
    expect(found(subscribed(at(10)), got(11, { payloadId: "unheard", messageId: "m" }))).toEqual(["foreign"]);
  });

  it("given offsets left out, when nobody says so, then there is a gap", () => {
    expect(found(subscribed(at(0)), got(1), ...deliveries(4, 10))).toEqual(["gap"]);
  });

  it("given a Subscribed that moves nothing, when it tells another position, then there is a gap", () => {
    expect(found(subscribed(at(8)), got(9), subscribed(at(8)), ...deliveries(9, 10))).toEqual(["gap"]);
  });

  it("given a Lagged of an unknown loss, when its epoch is the old one, then there is a gap", () => {
    const told = lagged(at(10), 0, { reason: RecoveryMiss.EPOCH_CHANGED });
    expect(found(subscribed(at(2)), told)).toEqual(["gap"]);
  });

  it.each([
    { name: "too few", event: lagged(at(10), 7) },
    { name: "too many", event: lagged(at(10), 9) },
    { name: "none", event: lagged(at(2), 0) },
    { name: "a way back", event: lagged(at(1), -1) },
    { name: "no reason", event: lagged(at(10), 8, { reason: RecoveryMiss.UNSPECIFIED }) },
    { name: "a count over epochs", event: lagged(at(10, "e2"), 8) },
    { name: "a count that nobody knows", event: lagged(at(10, "e2"), 8, { reason: RecoveryMiss.EPOCH_CHANGED }) },
  ])("given a Lagged with $name, when it is checked, then its missed count is wrong", ({ event }) => {
    expect(found(subscribed(at(2)), event)).toContain("missed-count");
  });

  it.each([
    { name: "too few", position: at(7), missedCount: 4 },
    { name: "a miss where there is none", position: at(2), missedCount: 0 },
  ])("given a Subscribed of RETENTION with $name, when it is checked, then its missed count is wrong", (fields) => {
    const event = subscribed(fields.position, { ...fields, since: at(2), miss: RecoveryMiss.RETENTION, top: at(10) });
    expect(found(event, ...deliveries(fields.position.offset + 1, 10))).toEqual(["missed-count"]);
  });

  it.each([
    { name: "elsewhere than asked", event: subscribed(at(9), { since: at(8), recovered: true, top: at(10) }) },
    { name: "in another epoch", event: subscribed(at(8), { since: at(8, "e0"), recovered: true, top: at(10) }) },
    { name: "with nothing asked", event: subscribed(at(8), { recovered: true, top: at(10) }) },
    { name: "with a miss", event: subscribed(at(8), { since: at(8), recovered: true, missedCount: 1, top: at(10) }) },
    {
      name: "with a tag of no entry",
      event: subscribed({ ...at(8), check: 5 }, { since: { ...at(8), check: 5 }, recovered: true, top: at(10) }),
    },
    { name: "above the top", event: subscribed(at(8), { since: at(8), recovered: true, top: at(7) }) },
    { name: "with its top elsewhere", event: subscribed(at(8), { since: at(8), recovered: true, top: at(8, "e2") }) },
    { name: "not, and without a word", event: subscribed(at(10), { since: at(8) }) },
    {
      name: "not, for an epoch that is the same",
      event: subscribed(at(10), { since: at(8), miss: RecoveryMiss.EPOCH_CHANGED }),
    },
    {
      name: "not, for a position that is not ahead",
      event: subscribed(at(10), { since: at(8), miss: RecoveryMiss.AHEAD }),
    },
    {
      name: "not, for a tag that was not given",
      event: subscribed(at(10), { since: { ...at(8), check: 0 }, miss: RecoveryMiss.CHECK_MISMATCH }),
    },
    {
      name: "not, and goes on anywhere",
      event: subscribed(at(5), { since: at(8, "e0"), miss: RecoveryMiss.EPOCH_CHANGED, top: at(10) }),
    },
    { name: "further back than the rewind", event: subscribed(at(5), { rewind: 2, top: at(10) }) },
  ])("given a Subscribed that is recovered $name, when it is checked, then its recovery is wrong", ({ event }) => {
    expect(found(event)).toContain("recovery");
  });

  it("given two readers who see different things at one offset, when it is checked, then the log is forked", () => {
    expect(found(subscribed(at(9)), got(10, { check: 5 }))).toEqual(["forked"]);
    expect(found(subscribed(at(9)), got(10, { messageId: "other" }))).toEqual(["forked"]);
    expect(found(subscribed(at(9)), publishing("x"), got(10, { payloadId: "x" }))).toEqual(["forked"]);
  });

  it("given readers to whom one offset follows different ones, when it is checked, then the log is forked", () => {
    const lost: HistoryEvent = { kind: "tail-lost", log: LOG, epoch: "e1" };
    const other = got(9, { check: 5, payloadId: "x", messageId: "mx" });
    const second = { reader: "s" };
    expect(
      found(
        lost,
        subscribed(at(8)),
        got(9),
        got(10),
        publishing("x"),
        subscribed(at(8), second),
        { ...other, ...second },
        got(10, second),
      ),
    ).toEqual(["forked"]);
  });

  it("given what is in the log itself, when a reader sees something else, then the log is forked", () => {
    const entry = { ...got(11), kind: "entry", epoch: "e1", prevCheck: 1010 } as const;
    expect(found(entry, subscribed(at(10)), publishing("e1-11"), got(11))).toEqual([]);
    expect(found({ ...entry, prevCheck: 7 }, subscribed(at(10)), publishing("e1-11"), got(11))).toEqual(["forked"]);
    expect(found(subscribed(at(10)), publishing("e1-11"), got(11), { ...entry, check: 5 })).toEqual(["forked"]);
  });

  it("given an acknowledgement of what others saw elsewhere, when it is checked, then the log is forked", () => {
    const position = at(10);
    const event: HistoryEvent = { kind: "published", reader: "q", log: LOG, payloadId: "y", position, messageId: "my" };
    expect(found(publishing("y"), event)).toEqual(["forked"]);
  });

  it("given no subscription, when something comes for a channel, then it is unasked", () => {
    expect(found(got(1))).toEqual(["unasked"]);
    expect(found(subscribed(at(0)), CUT, CONNECTED, got(1))).toEqual(["unasked"]);
    expect(found(subscribed(at(0)), { kind: "unsubscribed", reader: "r", log: LOG }, got(1))).toEqual(["unasked"]);
    expect(found(lagged(at(1), 1))).toEqual(["unasked"]);
  });
});

describe("HistoryChecker", () => {
  it("given a violation, when it is found, then it tells what led to it, the event itself last", () => {
    const checker = new HistoryChecker();
    for (const event of [...TEN, CONNECTED, subscribed(at(0)), got(1), got(3)]) checker.record(event);
    const [violation] = checker.violations;
    expect(violation).toMatchObject({ kind: "gap", reader: "r" });
    expect(violation?.message).toContain("3 came, 2 was next");
    expect(violation?.trail.map(({ kind }) => kind)).toEqual(["connected", "subscribed", "publication", "publication"]);
  });

  it("given a bound on what is remembered, when a history is long, then faults are found and old ids are not foreign", () => {
    const checker = new HistoryChecker({ remember: 10 });
    checker.record(CONNECTED);
    checker.record(subscribed(at(0)));
    for (let offset = 1; offset <= 5000; offset++) {
      for (const event of published(offset)) checker.record(event);
      checker.record(got(offset));
    }
    checker.record(subscribed(at(0), { reader: "late" }));
    checker.record(got(1, { reader: "late" }));
    expect(checker.settle().map(({ kind, reader }) => [kind, reader])).toEqual([["lost", "late"]]);
    checker.record(got(5002, { payloadId: "e1-5000" }));
    expect(checker.violations.at(-1)?.kind).toBe("duplicated");
  });

  it("given a subscription, when it is asked for its position, then it is where the last delivery was", () => {
    const checker = new HistoryChecker();
    for (const event of [...TEN, CONNECTED, subscribed(at(0)), got(1), got(2)]) checker.record(event);
    expect(checker.positionOf("r", LOG)).toEqual(at(2));
    expect(checker.positionOf("s", LOG)).toBeUndefined();
  });
});
