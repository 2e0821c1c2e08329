import type { Encoding } from "@pm/proto";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type RecordingClient, SeededRandom } from "../src/testing/index.ts";
import { expectPromiseKept } from "./support/expect-promise-kept.ts";
import { RealServer } from "./support/real-server.ts";

const ROOM = "room:1";

/** Has a client read the room. */
async function enter(connecting: Promise<RecordingClient>): Promise<RecordingClient> {
  const client = await connecting;
  await client.subscribe(ROOM);
  return client;
}

const encodingOf = (index: number): Encoding => (index % 2 === 0 ? "proto" : "json");

describe("real sockets", () => {
  it("given random cuts and stalls under load when it is quiet again then everybody is complete or was told", async () => {
    await using real = await RealServer.start();
    const random = new SeededRandom(1);
    const publisher = await enter(real.connect("t1", "publisher"));
    const users = Array.from({ length: 8 }, (_, index) => enter(real.connect("t1", `u${index}`, encodingOf(index))));
    const readers = await Promise.all(users);
    for (const reader of readers) reader.stayConnected(() => random.below(200));
    for (let n = 0; n < 600; n++) {
      const reader = readers[random.below(readers.length)];
      const fault = random.below(100);
      if (fault < 5) void reader?.cut();
      else if (fault < 10) reader?.stall();
      else if (fault < 20) reader?.resume();
      await publisher.publish(ROOM, `p${n}`, { bytes: 4000 });
      await delay(random.below(16));
    }
    for (const reader of readers) reader.resume();
    await Promise.all(readers.map((reader) => reader.reaches(ROOM, 600)));
    expect(publisher.cursor(ROOM)?.offset).toBe(600);
    expectPromiseKept(real.checker);
  });

  it("given a tenant that floods 200 subscribers when another publishes then all of it arrives in order", async () => {
    await using real = await RealServer.start();
    const noisy = await enter(real.connect("t1", "noisy"));
    const quiet = await enter(real.connect("t2", "quiet", "json"));
    const crowd = await Promise.all(
      Array.from({ length: 200 }, (_, index) => enter(real.connect("t1", `u${index}`, encodingOf(index)))),
    );
    let flooding = true;
    const flood = (async () => {
      let top = 0;
      for (let n = 0; flooding; n += 20) {
        const run = Array.from({ length: 20 }, (_, index) => noisy.publish(ROOM, `n${n + index}`));
        for (const { position } of await Promise.all(run)) top = Math.max(top, Number(position?.offset));
      }
      return top;
    })();
    for (let n = 1; n <= 20; n++) await quiet.publish(ROOM, `q${n}`);
    await quiet.reaches(ROOM, 20);
    flooding = false;
    const top = await flood;
    expect(top).toBeGreaterThan(20);
    await Promise.all([noisy, ...crowd].map((reader) => reader.reaches(ROOM, top)));
    expectPromiseKept(real.checker);
  });
});
