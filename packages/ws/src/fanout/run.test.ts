import { type Encoding, encodeServerElement, type ServerMessageInit } from "@pm/proto";
import { ManualClock } from "@pm/core/testing";
import { beforeEach, describe, expect, test } from "vitest";
import type { AppendResult, LogPage, PublicationDraft } from "../log/broker.ts";
import { MemoryBroker } from "../log/memory-broker.ts";
import { channelRef, draft, WHOLE } from "../testing/broker-contract/broker-fixture.ts";
import { Run } from "./run.ts";

const ROOM = channelRef("room:1");
const DRAFTS: readonly PublicationDraft[] = [
  draft('{"n":1}', { event: "moved", traceParent: "00-1-2-01" }),
  draft("", { payload: { kind: "data", data: Uint8Array.of(0, 0x22, 0x5c, 0xff) }, publisher: "" }),
  draft(JSON.stringify('\u00e9\u20ac\u{1f600}\\"\n')),
  draft("", { payload: undefined }),
  draft(JSON.stringify("x".repeat(40_000))),
];

let clock: ManualClock;
let broker: MemoryBroker;
let page: LogPage;
let messages: readonly ServerMessageInit[];

beforeEach(async () => {
  clock = new ManualClock();
  broker = new MemoryBroker({ clock });
  const results: AppendResult[] = [];
  for (const each of DRAFTS) results.push(await broker.append(ROOM, each));
  page = await broker.read(ROOM, WHOLE);
  messages = DRAFTS.map((each, index) => messageOf(each, results[index]));
});

/** What the client of a publication is to see. */
function messageOf({ payload, event, publisher, traceParent }: PublicationDraft, at?: AppendResult): ServerMessageInit {
  const kind =
    payload?.kind === "data"
      ? { case: "data" as const, value: Uint8Array.from(payload.data) }
      : payload && { case: "json" as const, value: payload.json };
  return {
    body: {
      case: "publication",
      value: {
        channel: ROOM.name,
        offset: BigInt(at?.position.offset ?? 0),
        check: at?.position.check ?? 0,
        ...(kind && { payload: { kind } }),
        event,
        publisher,
        publishedAtMs: BigInt(clock.now()),
        messageId: at?.messageId ?? "",
        traceParent,
      },
    },
  };
}

function runOf(first: number, last: number): Run {
  return new Run(page.epoch, page.entries.slice(first - 1, last));
}

/** One WebSocket message as RFC 6455, section 5.2, has it, with these elements of the codec. */
function frameOf(part: readonly ServerMessageInit[], encoding: Encoding): string {
  const elements = part.map((message) => Buffer.from(encodeServerElement(message, encoding)));
  const content = encoding === "json" ? Buffer.from(`{"messages":[${elements.join(",")}]}`) : Buffer.concat(elements);
  const { length } = content;
  const header = [encoding === "json" ? 0x81 : 0x82, ...(length < 126 ? [length] : [126, length >>> 8, length & 0xff])];
  return Buffer.concat([Buffer.from(header), content]).toString("latin1");
}

describe("a run of one", () => {
  test("given an entry, when it is asked for in binary, then it is the frame that is in the log, and no copy", () => {
    for (const [index, { frame }] of page.entries.entries()) {
      const { bytes, isFrame } = runOf(index + 1, index + 1).bytes("proto");
      expect(bytes).toBe(frame);
      expect(isFrame).toBe(true);
    }
  });
});

describe.each(["proto", "json"] as const)("the bytes of a run in %s", (encoding) => {
  test.each([
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 4],
    [5, 5],
    [1, 2],
    [2, 4],
    [1, 5],
  ])("given entries %i to %i, when they are put into a frame, then it is what the codec would make", (first, last) => {
    const { bytes } = runOf(first, last).bytes(encoding);
    expect(bytes.toString("latin1")).toBe(frameOf(messages.slice(first - 1, last), encoding));
  });

  test("given a run, when its elements are cut out of the frame, then they are those of the codec", () => {
    const { bytes, start, end } = runOf(1, 4).bytes(encoding);
    const elements = messages.slice(0, 4).map((message) => Buffer.from(encodeServerElement(message, encoding)));
    const joined = encoding === "json" ? Buffer.from(elements.join(",")) : Buffer.concat(elements);
    expect(bytes.subarray(start, end).toString("latin1")).toBe(joined.toString("latin1"));
  });

  test("given two readers of one run, when both ask for it, then they share the bytes", () => {
    const run = runOf(2, 4);
    expect(run.bytes(encoding)).toBe(run.bytes(encoding));
  });
});

describe("the part of a run", () => {
  test("given a reader at or before its first entry, when its part is cut, then it is the run itself", () => {
    const run = runOf(2, 5);
    expect(run.from(2)).toBe(run);
    expect(run.from(1)).toBe(run);
  });

  test("given a reader that has seen the beginning, when its part is cut, then it is the rest of the same log", () => {
    const part = runOf(2, 5).from(4);
    const lastCheck = page.top.check;
    expect(part).toMatchObject({ epoch: page.epoch, first: 4, last: 5, lastCheck });
    expect(part.bytes("proto").bytes.toString("latin1")).toBe(frameOf(messages.slice(3, 5), "proto"));
    expect(runOf(2, 5).from(5).bytes("proto").bytes).toBe(page.entries[4]?.frame);
  });
});
