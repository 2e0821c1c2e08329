import { create } from "@bufbuild/protobuf";
import { PublicationSchema, type Publication, RecoveryMiss, type ServerMessage, ServerMessageSchema } from "@pm/proto";
import { describe, expect, it } from "vitest";
import { ChannelCursor, reasonName } from "./channel-cursor.ts";

type Subscribed = Extract<ServerMessage["body"], { case: "subscribed" }>["value"];
type Lagged = Extract<ServerMessage["body"], { case: "lagged" }>["value"];

const at = (offset: number, check = offset * 10, epoch = "e"): { epoch: string; offset: bigint; check: number } => ({
  epoch,
  offset: BigInt(offset),
  check,
});

function publication(offset: number, check = offset * 10): Publication {
  return create(PublicationSchema, { channel: "c", offset: BigInt(offset), check });
}

function subscribed(value: object): Subscribed {
  const { body } = create(ServerMessageSchema, { body: { case: "subscribed", value: { channel: "c", ...value } } });
  return body.value as Subscribed;
}

function lagged(value: object): Lagged {
  const { body } = create(ServerMessageSchema, { body: { case: "lagged", value: { channel: "c", ...value } } });
  return body.value as Lagged;
}

/** A cursor that is subscribed after this offset. */
function subscribedAt(offset: number): ChannelCursor {
  const cursor = new ChannelCursor("c");
  cursor.request(1);
  cursor.subscribed(subscribed({ position: at(offset) }));
  return cursor;
}

describe("ChannelCursor", () => {
  it.each([
    ["nothing", {}, { channel: "c" }],
    ["a number", { rewind: 5 }, { channel: "c", rewind: 5 }],
    ["a position", { since: at(3) }, { channel: "c", since: at(3) }],
  ])("given %s to start from when it subscribes at first then it asks for that", (_what, start, request) => {
    expect(new ChannelCursor("c", start).request(1)).toEqual(request);
  });

  it("given publications in order when they come then each is delivered once, and it subscribes again after the last", () => {
    const cursor = subscribedAt(4);
    expect([5, 6, 6, 5, 7].map((offset) => cursor.publication(publication(offset)))).toEqual([
      "deliver",
      "deliver",
      "drop",
      "drop",
      "deliver",
    ]);
    expect(cursor.request(2)).toEqual({ channel: "c", since: at(7) });
  });

  it("given a hole, or another entry at its own offset, when it comes then it subscribes again", () => {
    expect(subscribedAt(4).publication(publication(6))).toBe("resubscribe");
    expect(subscribedAt(4).publication(publication(4, 99))).toBe("resubscribe");
    expect(subscribedAt(4).publication(publication(3, 99))).toBe("drop");
    // A check of 0 is unknown.
    const unchecked = new ChannelCursor("c");
    unchecked.subscribed(subscribed({ position: at(4, 0) }));
    expect(unchecked.publication(publication(4, 99))).toBe("drop");
  });

  it("given a request without answer when publications come then they are dropped, until the answer to it", () => {
    const cursor = subscribedAt(4);
    cursor.request(7);
    expect(cursor.publication(publication(5))).toBe("drop");
    expect(cursor.expects(0)).toBe(false);
    expect(cursor.expects(7)).toBe(true);
    cursor.subscribed(subscribed({ position: at(4), recovered: true }));
    expect(cursor.publication(publication(5))).toBe("deliver");
  });

  it("given a recovery when it is answered then only what was missed is told", () => {
    const cursor = subscribedAt(4);
    cursor.request(2);
    expect(cursor.subscribed(subscribed({ position: at(4), recovered: true }))).toBeUndefined();
    cursor.request(8);
    cursor.subscribed(subscribed({ recovered: true }));
    expect(cursor.position).toEqual(at(4));
    cursor.request(3);
    const miss = { position: at(9), miss: RecoveryMiss.RETENTION, missedCount: 5n };
    expect(cursor.subscribed(subscribed(miss))).toEqual({
      channel: "c",
      missedCount: 5n,
      reason: RecoveryMiss.RETENTION,
    });
    expect(cursor.position).toEqual(at(9));
  });

  it("given a first subscription when it is answered then nothing was missed, but a position that was given counts", () => {
    expect(new ChannelCursor("c").subscribed(subscribed({ position: at(9) }))).toBeUndefined();
    const since = new ChannelCursor("c", { since: at(3) });
    since.request(1);
    const miss = { position: at(9), miss: RecoveryMiss.EPOCH_CHANGED };
    expect(since.subscribed(subscribed(miss))).toMatchObject({ reason: RecoveryMiss.EPOCH_CHANGED });
  });

  it("given a notice of lagging when it comes then it goes on from there, unless it waits for an answer", () => {
    const cursor = subscribedAt(4);
    const notice = lagged({ missedCount: 5n, position: at(9), reason: RecoveryMiss.SKIPPED });
    expect(cursor.lagged(notice)).toEqual({ channel: "c", missedCount: 5n, reason: RecoveryMiss.SKIPPED });
    expect(cursor.publication(publication(10))).toBe("deliver");
    cursor.request(2);
    expect(cursor.lagged(notice)).toBeUndefined();
    expect(cursor.position).toEqual(at(10));
  });

  it("given a connection that ends before the answer when the next one pushes then it is taken", () => {
    const cursor = new ChannelCursor("tenant", {}, { isAutomatic: true });
    expect(cursor.needsRequest).toBe(false);
    expect(cursor.expects(0)).toBe(true);
    cursor.subscribed(subscribed({ position: at(1) }));
    expect(cursor.needsRequest).toBe(true);
    cursor.request(4);
    expect(cursor.isPending(4)).toBe(true);
    cursor.disconnected();
    expect(cursor.isPending(4)).toBe(false);
  });
});

describe("reasonName", () => {
  it("given a reason then it is named as in the protocol, and an unknown one by its number", () => {
    expect(reasonName(RecoveryMiss.RETENTION)).toBe("RETENTION");
    expect(reasonName(77 as RecoveryMiss)).toBe("77");
  });
});
