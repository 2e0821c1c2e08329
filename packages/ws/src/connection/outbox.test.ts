import { decodeServerFrame } from "@pm/proto";
import { parseChannelName } from "@pm/core";
import { beforeEach, describe, expect, test } from "vitest";
import { Run } from "../fanout/run.ts";
import { ChannelLog } from "../log/channel-log.ts";
import { ChunkPool } from "../log/chunk-pool.ts";
import { draft } from "../testing/broker-contract/broker-fixture.ts";
import { encodeReply } from "../wire/reply-encoder.ts";
import { contentStart } from "../wire/websocket-frame.ts";
import { Outbox, type OutboxOwner, type OutboxSocket } from "./outbox.ts";

class FakeSocket implements OutboxSocket {
  readonly writes: Buffer[] = [];
  isStuck = false;
  writableLength = 0;
  writableHighWaterMark = 0;
  writableCorked = 0;

  write(bytes: Uint8Array): boolean {
    this.writes.push(bytes as Buffer);
    if (this.isStuck) this.writableLength += bytes.byteLength;
    return !this.isStuck;
  }
}

class Owner implements OutboxOwner {
  dirty = 0;
  overflows = 0;

  onDirty(): void {
    this.dirty++;
  }

  onReplyOverflow(): void {
    this.overflows++;
  }
}

const LIMITS = { highWaterBytes: 1000, maxReplyBytes: 2000, maxReplies: 20 };

let socket: FakeSocket;
let owner: Owner;
let outbox: Outbox;
let log: ChannelLog;

beforeEach(() => {
  socket = new FakeSocket();
  owner = new Owner();
  outbox = new Outbox({ encoding: "proto", socket, limits: LIMITS, owner });
  log = new ChannelLog(parseChannelName("room:1"), { epoch: "e1", check: 1 }, new ChunkPool());
});

function makeRun(json: string, count = 1): Run {
  const entries = Array.from({ length: count }, () => log.append(draft(json), { check: 1, publishedAtMs: 1, turn: 1 }));
  return new Run("e1", entries);
}

function pong(): Buffer {
  return encodeReply(1, { case: "pong", value: {} }, "proto");
}

/** The names of the messages in a frame. */
function messagesIn(frame?: Uint8Array): (string | undefined)[] {
  if (frame === undefined) return [];
  return decodeServerFrame(frame.subarray(contentStart(frame)), "proto").map(({ body }) => body.case);
}

/** A socket that is full from now on takes so many replies, and none more. */
function expectRoomForReplies(count: number): void {
  socket.isStuck = true;
  socket.writableLength = 1001;
  for (let i = 0; i < count; i++) outbox.reply(pong());
  expect(owner.overflows).toBe(0);
  outbox.reply(pong());
  expect(owner.overflows).toBe(1);
}

describe("coalescing", () => {
  test("given several items in a turn, when it is flushed, then they go down in one frame in their order", () => {
    outbox.reply(pong());
    outbox.offer(makeRun("1", 2));
    outbox.reply(pong());
    expect(owner.dirty).toBe(1);
    expect(socket.writes).toHaveLength(0);
    outbox.flush();
    expect(socket.writes).toHaveLength(1);
    expect(messagesIn(socket.writes[0])).toEqual(["pong", "publication", "publication", "pong"]);
    expect(outbox.messagesOut).toBe(4);
    expect(outbox.bytesOut).toBe(socket.writes[0]?.length);
  });

  test("given a run that waits alone, when it is flushed, then the shared buffer itself is written", () => {
    const run = makeRun("1", 3);
    outbox.offer(run);
    outbox.flush();
    expect(socket.writes).toHaveLength(1);
    expect(socket.writes[0]).toBe(run.bytes("proto").bytes);
  });

  test("given an outbox that writes at once, when a run comes and nothing waits, then it is written at once", () => {
    const run = makeRun("1");
    outbox.writesAtOnce = true;
    outbox.offer(run);
    expect(socket.writes[0]).toBe(run.bytes("proto").bytes);
    expect(owner.dirty).toBe(0);
  });

  test("given an outbox that writes at once, when a run comes and something waits, then it does not overtake", () => {
    outbox.writesAtOnce = true;
    outbox.reply(pong());
    outbox.offer(makeRun("1"));
    expect(socket.writes).toHaveLength(0);
    outbox.flush();
    expect(messagesIn(socket.writes[0])).toEqual(["pong", "publication"]);
  });

  test("given a flushed outbox, when it is flushed again, then nothing is written", () => {
    outbox.reply(pong());
    outbox.flush();
    outbox.flush();
    expect(socket.writes).toHaveLength(1);
    outbox.reply(pong());
    expect(owner.dirty).toBe(2);
  });

  test("given more than 64 KiB, when it is flushed, then frames are cut there, with at least one item in each", () => {
    for (const size of [30_000, 30_000, 30_000, 30_000, 100_000, 10]) outbox.offer(makeRun("x".repeat(size)));
    outbox.flush();
    expect(socket.writes.map((frame) => messagesIn(frame).length)).toEqual([2, 2, 1, 1]);
    expect(socket.writes[0]?.length).toBeLessThanOrEqual(65_536 + 10);
  });

  test("given exactly 64 KiB, when it is flushed, then it is one frame, and a byte more makes two", () => {
    const limits = { ...LIMITS, maxReplyBytes: 1_000_000 };
    for (const [extra, frames] of [
      [0, 1],
      [1, 2],
    ] as const) {
      socket = new FakeSocket();
      const other = new Outbox({ encoding: "proto", socket, limits, owner });
      other.reply(Buffer.alloc(32_768));
      other.reply(Buffer.alloc(32_768 + extra));
      other.flush();
      expect(socket.writes).toHaveLength(frames);
    }
  });

  test("given a socket that holds bytes, when a small shared frame has to wait, then it has memory of its own", () => {
    socket.writableLength = 1;
    const run = makeRun("1");
    outbox.offer(run);
    outbox.flush();
    const [written] = socket.writes;
    expect(written?.buffer.byteLength).toBe(written?.length);
    expect(written).toEqual(run.bytes("proto").bytes);
  });
});

describe("bounds", () => {
  test("given a socket above its high-water mark, when it is asked, then it is behind", () => {
    socket.writableLength = 1000;
    expect(outbox.isBehind).toBe(false);
    socket.writableLength = 1001;
    expect(outbox.isBehind).toBe(true);
    expect(outbox.queuedBytes).toBe(1001);
  });

  test("given a socket with a higher mark of its own, when it is asked, then that counts, since it tells nothing below", () => {
    socket.writableHighWaterMark = 4000;
    const other = new Outbox({ encoding: "proto", socket, limits: LIMITS, owner });
    socket.writableLength = 4000;
    expect(other.isBehind).toBe(false);
    socket.writableLength = 4001;
    expect(other.isBehind).toBe(true);
  });

  test("given a stuck socket, when replies are more than may wait, then the owner is told", () => {
    socket.isStuck = true;
    socket.writableLength = 1001;
    for (let i = 0; i < 20; i++) outbox.reply(pong());
    expect(owner.overflows).toBe(0);
    outbox.reply(pong());
    expect(owner.overflows).toBe(1);
  });

  test("given a stuck socket, when the bytes of replies are more than may wait, then the owner is told", () => {
    socket.isStuck = true;
    outbox.reply(Buffer.alloc(2000));
    expect(owner.overflows).toBe(0);
    outbox.reply(Buffer.alloc(1));
    expect(owner.overflows).toBe(1);
  });

  test("given a socket that always holds a little, when many replies have gone by, then none counts as waiting", () => {
    socket.writableLength = 10;
    // Each that is one too many has the outbox look, and begin to count anew.
    for (let i = 0; i < 4 * 21; i++) {
      outbox.reply(pong());
      outbox.flush();
    }
    expect(owner.overflows).toBe(0);
    expectRoomForReplies(20);
  });

  test("given replies that the socket has taken at once, when it is full later, then none of them counts", () => {
    for (let i = 0; i < 15; i++) outbox.reply(pong());
    outbox.flush();
    expectRoomForReplies(20);
  });

  test("given a socket that takes everything, when many replies come in one turn, then none counts as waiting", () => {
    for (let i = 0; i < 100; i++) outbox.reply(pong());
    outbox.flush();
    expect(owner.overflows).toBe(0);
    expect(socket.writes.flatMap((frame) => messagesIn(frame))).toHaveLength(100);
  });

  test("given replies that waited, when the socket has drained, then as many may wait again", () => {
    socket.isStuck = true;
    for (let i = 0; i < 20; i++) outbox.reply(pong());
    outbox.flush();
    outbox.drained();
    expectRoomForReplies(20);
  });

  test("given bytes of replies that waited, when the socket has drained, then as many may wait again", () => {
    socket.isStuck = true;
    outbox.reply(Buffer.alloc(2000));
    outbox.flush();
    outbox.drained();
    outbox.reply(Buffer.alloc(2000));
    expect(owner.overflows).toBe(0);
  });
});

test("given an outbox that is closed, when anything is given to it, then what waited is written and nothing after", () => {
  outbox.reply(pong());
  outbox.close();
  expect(socket.writes).toHaveLength(1);
  outbox.reply(pong());
  outbox.offer(makeRun("1"));
  outbox.writesAtOnce = true;
  outbox.offer(makeRun("1"));
  outbox.flush();
  outbox.close();
  expect(socket.writes).toHaveLength(1);
  expect(outbox.messagesOut).toBe(1);
  expect(owner.dirty).toBe(1);
});
