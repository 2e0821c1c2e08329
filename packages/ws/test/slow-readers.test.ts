import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { parseTenantId } from "@pm/core";
import { decodeServerFrame, encodeClientFrame, type Publication, type ServerMessage } from "@pm/proto";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { create } from "@bufbuild/protobuf";
import { ClientMessageSchema } from "@pm/proto";
import { attach, MemoryBroker, type WsServer } from "../src/index.ts";

const TENANT = parseTenantId("acme");
const CHANNEL = "room";
const HIGH_WATER_BYTES = 65_536;
const [READERS, SLOW] = process.env["SOAK"] === "1" ? [1000, 200] : [200, 40];

let http: Server;
let pm: WsServer;
let clients: WebSocket[] = [];

async function start(retained: { readonly count: number; readonly bytes: number }): Promise<string> {
  const channelKinds = { defaults: { retainedCount: retained.count, retainedBytes: retained.bytes } };
  http = createServer();
  pm = attach(http, {
    authenticator: {
      authenticate: async (user) => ({
        tenant: TENANT,
        user,
        roles: [],
        grants: undefined,
        expiresAtMs: Date.now() + 3_600_000,
      }),
    },
    broker: new MemoryBroker({
      retentionOf: () => ({ count: retained.count, bytes: retained.bytes, ageMs: 600_000 }),
      maxTenantBytes: 2 * retained.bytes,
    }),
    channelKinds,
    highWaterBytes: HIGH_WATER_BYTES,
    // On a busy machine publishing takes longer than a reader may stall. No reader is closed here, however long it
    // takes.
    minDrainBytesPerSec: 0,
    heartbeatTimeoutSecs: 3600,
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return `ws://127.0.0.1:${(http.address() as AddressInfo).port}/ws`;
}

afterEach(async () => {
  for (const client of clients) client.terminate();
  clients = [];
  await pm.close();
  http.closeAllConnections();
  http.close();
});

/** A reader that counts what it sees, and stops counting at the first thing that is out of order and not told. */
class Reader {
  readonly socket: WebSocket;
  seen = 0;
  missed = 0;
  outOfOrder = 0;
  #next: number | undefined;
  #closed: string | undefined;
  #waiting: (() => void)[] = [];

  constructor(url: string, user: string) {
    this.socket = new WebSocket(url, "pm.v1.proto", { headers: { authorization: `Bearer ${user}` } });
    this.socket.on("message", (data: Buffer) => {
      for (const message of decodeServerFrame(data, "proto")) this.#take(message);
    });
    this.socket.on("close", (code) => {
      this.#closed = `the reader was closed with ${code} after ${this.seen} seen and ${this.missed} missed`;
      this.#wake();
    });
    clients.push(this.socket);
  }

  async subscribe(since?: { readonly epoch: string; readonly offset: bigint; readonly check: number }): Promise<void> {
    await once(this.socket, "open");
    const value = { channel: CHANNEL, ...(since === undefined ? {} : { since }) };
    const message = create(ClientMessageSchema, { id: 1, body: { case: "subscribe", value } });
    this.socket.send(encodeClientFrame([message], "proto"));
    await this.until(() => this.#next !== undefined);
  }

  /** Rejects when the connection ends before. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#closed !== undefined) throw new Error(this.#closed);
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  #take({ body }: ServerMessage): void {
    if (body.case === "subscribed" && body.value.channel === CHANNEL)
      this.#next = Number(body.value.position?.offset) + 1;
    if (body.case === "lagged" && body.value.channel === CHANNEL) {
      this.missed += Number(body.value.missedCount);
      this.#next = Number(body.value.position?.offset) + 1;
    }
    if (body.case === "publication") this.#count(body.value);
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #count(publication: Publication): void {
    if (publication.channel !== CHANNEL) return;
    if (Number(publication.offset) !== this.#next) this.outOfOrder++;
    this.#next = Number(publication.offset) + 1;
    this.seen++;
  }
}

function queuedBytes(): { readonly most: number; readonly sum: number } {
  let most = 0;
  let sum = 0;
  for (const { outbox } of pm.connections.find()) {
    most = Math.max(most, outbox.queuedBytes);
    sum += outbox.queuedBytes;
  }
  return { most, sum };
}

describe("slow readers over real sockets", () => {
  it(`given ${SLOW} of ${READERS} that stop reading under load, when they read again, then all have everything or were told, and memory stayed within its bound`, {
    timeout: 600_000,
  }, async () => {
    const url = await start({ count: 2000, bytes: 16_777_216 });
    const readers = Array.from({ length: READERS }, (_, index) => new Reader(url, `u${index}`));
    await Promise.all(readers.map((reader) => reader.subscribe()));
    const slow = readers.slice(0, SLOW);
    const quick = readers.slice(SLOW);
    for (const { socket } of slow) socket.pause();
    const payload = new Uint8Array(8192).fill(120);
    let most = 0;
    let sum = 0;
    for (let n = 1; n <= 1500; n++) {
      await pm.publish({ tenant: TENANT, channel: CHANNEL }, { payload });
      if (n % 25 !== 0) continue;
      await Promise.all(quick.map((reader) => reader.until(() => reader.seen === n)));
      const queued = queuedBytes();
      most = Math.max(most, queued.most);
      sum = Math.max(sum, queued.sum);
    }
    // More was published than the kernel takes for a reader that has stopped, so the bound was reached.
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(2 * HIGH_WATER_BYTES + 65_536 + 8400);
    for (const { socket } of slow) socket.resume();
    await Promise.all(slow.map((reader) => reader.until(() => reader.seen + reader.missed === 1500)));
    expect(quick.every((reader) => reader.seen === 1500 && reader.missed === 0)).toBe(true);
    expect(readers.filter((reader) => reader.outOfOrder > 0)).toEqual([]);
  });

  it("given 100 000 missed publications that are in the log, when a reader comes back, then they come complete, in order, a page at a time", {
    timeout: 180_000,
  }, async () => {
    const url = await start({ count: 200_000, bytes: 67_108_864 });
    const first = await pm.publish({ tenant: TENANT, channel: CHANNEL }, { payload: "0" });
    for (let n = 0; n < 1000; n++) {
      const batch = Array.from({ length: 100 }, () =>
        pm.publish({ tenant: TENANT, channel: CHANNEL }, { payload: "{}" }),
      );
      await Promise.all(batch);
    }
    const reader = new Reader(url, "ada");
    const { epoch, offset, check } = first.position;
    let most = 0;
    reader.socket.on("message", () => {
      most = Math.max(most, queuedBytes().most);
    });
    await reader.subscribe({ epoch, offset: BigInt(offset), check });
    await reader.until(() => reader.seen === 100_000);
    expect(reader.outOfOrder).toBe(0);
    expect(reader.missed).toBe(0);
    expect(most).toBeLessThanOrEqual(2 * HIGH_WATER_BYTES + 65_536);
  });
});
