import { parseTenantId } from "@pm/core";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { attach, type WsServer } from "../src/index.ts";
import { HistoryChecker, RecordingClient, SeededRandom } from "../src/testing/index.ts";
import { expectPromiseKept } from "./support/expect-promise-kept.ts";
import { nameAuthenticator, tokenOf } from "./support/name-authenticator.ts";

const ROOM = "room:1";

/** A server behind real sockets, and what its clients saw. */
class RealServer {
  readonly checker = new HistoryChecker();
  readonly #clients: RecordingClient[] = [];
  readonly #http = createServer();
  readonly server: WsServer = attach(this.#http, { authenticator: nameAuthenticator });

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#http.listen(0, "127.0.0.1", resolve));
  }

  async reader(tenant: string, user: string): Promise<RecordingClient> {
    const client = new RecordingClient({
      url: `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}/ws`,
      token: tokenOf(tenant, user),
      tenant: parseTenantId(tenant),
      user,
      name: `${tenant}.${user}`,
      encoding: this.#clients.length % 2 === 0 ? "proto" : "json",
      record: this.checker.record,
    });
    this.#clients.push(client);
    await client.connect();
    await client.subscribe(ROOM);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client[Symbol.asyncDispose]()));
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }
}

describe("real sockets", () => {
  it("given random cuts and stalls under load when it is quiet again then everybody is complete or was told", async () => {
    await using real = new RealServer();
    await real.listen();
    const random = new SeededRandom(1);
    const publisher = await real.reader("t1", "publisher");
    const users = Array.from({ length: 8 }, (_, index) => real.reader("t1", `u${index}`));
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
    await using real = new RealServer();
    await real.listen();
    const noisy = await real.reader("t1", "noisy");
    const quiet = await real.reader("t2", "quiet");
    const crowd = await Promise.all(Array.from({ length: 200 }, (_, index) => real.reader("t1", `u${index}`)));
    let flooding = true;
    const flood = (async () => {
      for (let n = 0; flooding; n += 20) {
        const run = Array.from({ length: 20 }, (_, index) => noisy.publish(ROOM, `n${n + index}`));
        await Promise.all(run);
      }
    })();
    for (let n = 1; n <= 20; n++) await quiet.publish(ROOM, `q${n}`);
    await quiet.reaches(ROOM, 20);
    flooding = false;
    await flood;
    const top = noisy.cursor(ROOM)?.offset ?? 0;
    expect(top).toBeGreaterThan(20);
    await Promise.all(crowd.map((reader) => reader.reaches(ROOM, top)));
    expectPromiseKept(real.checker);
  });
});
