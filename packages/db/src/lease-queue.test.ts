import { parseTenantId, type TenantId } from "@pm/core";
import { ManualClock } from "@pm/core/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { coded } from "../test/coded.ts";
import { DbError } from "./db-error.ts";
import { LeaseQueue } from "./lease-queue.ts";

const [A, B, C] = ["a", "b", "c"].map(parseTenantId) as [TenantId, TenantId, TenantId];

describe("LeaseQueue", () => {
  let clock: ManualClock;
  let room: number;
  let queue: LeaseQueue<string>;
  let served: string[];

  /** Each tenant needs one room, which it then keeps. */
  const take = (tenant: TenantId): string | undefined => {
    if (served.includes(tenant)) return tenant;
    if (room === 0) return undefined;
    room--;
    served.push(tenant);
    return tenant;
  };

  beforeEach(() => {
    clock = new ManualClock();
    room = 0;
    served = [];
    queue = new LeaseQueue({ maxWaiting: 4, waitTimeoutMs: 1000 }, clock, take);
  });

  it("given tenants that wait, when rooms come, then they are served in the order in which they came", async () => {
    const waits = [queue.wait(A), queue.wait(B), queue.wait(A), queue.wait(C)];
    queue.serve();
    expect(served).toEqual([]);
    room = 2;
    queue.serve();
    expect(served).toEqual([A, B]);
    expect(queue.length).toBe(1);
    room = 1;
    queue.serve();
    expect(await Promise.all(waits)).toEqual([A, B, A, C]);
    expect(clock.pending).toBe(0);
  });

  it("given a lease that waits, when its time is over, then it is refused with a time to try again", async () => {
    const wait = queue.wait(A);
    clock.advance(999);
    expect(queue.length).toBe(1);
    clock.advance(1);
    await expect(wait).rejects.toEqual(coded("DB_LIMIT", { retryAfterMs: 1000 }));
    expect(queue.length).toBe(0);
  });

  it("given one at the head that gives up, when the next needs no room, then that one is served at once", async () => {
    served = [B];
    const first = queue.wait(A);
    clock.advance(500);
    const second = queue.wait(B);
    queue.serve();
    expect(queue.length).toBe(2);
    clock.advance(500);
    await expect(first).rejects.toEqual(coded("DB_LIMIT"));
    expect(await second).toBe(B);
  });

  it("given a tenant that gave up and comes again, when there is room, then its place is behind those who came before", async () => {
    const gaveUp = expect(queue.wait(A)).rejects.toEqual(coded("DB_LIMIT"));
    clock.advance(500);
    const other = queue.wait(B);
    clock.advance(500);
    await gaveUp;
    const again = queue.wait(A);
    room = 2;
    queue.serve();
    expect(served).toEqual([B, A]);
    expect(await Promise.all([other, again])).toEqual([B, A]);
  });

  it("given a full queue of one tenant, when another comes, then the newest of the first makes room", async () => {
    const flood = [queue.wait(A), queue.wait(A), queue.wait(A), queue.wait(A)];
    const fifth = queue.wait(A);
    const other = queue.wait(B);
    await expect(fifth).rejects.toEqual(coded("DB_LIMIT", { retryAfterMs: 1000 }));
    await expect(flood[3]).rejects.toEqual(coded("DB_LIMIT"));
    room = 2;
    queue.serve();
    expect(await Promise.all([...flood.slice(0, 3), other])).toEqual([A, A, A, B]);
  });

  it("given a full queue in equal shares, when one more of either comes, then that one is refused", async () => {
    const waits = [queue.wait(A), queue.wait(A), queue.wait(B), queue.wait(B)];
    await expect(queue.wait(B)).rejects.toEqual(coded("DB_LIMIT"));
    const third = queue.wait(C);
    await expect(waits[1]).rejects.toEqual(coded("DB_LIMIT"));
    expect(queue.length).toBe(4);
    room = 3;
    queue.serve();
    expect(await Promise.all([waits[0], waits[2], waits[3], third])).toEqual([A, B, B, C]);
  });

  it("given a full queue in nearly equal shares, when the one with less comes again, then nobody has to go for it", async () => {
    const waits = [queue.wait(A), queue.wait(A), queue.wait(B), queue.wait(C)];
    await expect(queue.wait(B)).rejects.toEqual(coded("DB_LIMIT"));
    room = 3;
    queue.serve();
    expect(await Promise.all(waits)).toEqual([A, A, B, C]);
  });

  it("given no place to wait at all, when a lease comes, then it is refused", async () => {
    const none = new LeaseQueue({ maxWaiting: 0, waitTimeoutMs: 1000 }, clock, take);
    await expect(none.wait(A)).rejects.toEqual(coded("DB_LIMIT"));
    expect(clock.pending).toBe(0);
  });

  it("given a tenant whose database cannot be opened, when it is served, then it gets that error and others go on", async () => {
    const mistake = new Error("corrupt");
    const failing = new LeaseQueue({ maxWaiting: 4, waitTimeoutMs: 1000 }, clock, (tenant) => {
      if (tenant === A) throw mistake;
      return tenant;
    });
    const waits = [failing.wait(A), failing.wait(A), failing.wait(B)];
    failing.serve();
    expect(await Promise.allSettled(waits)).toEqual([
      { status: "rejected", reason: mistake },
      { status: "rejected", reason: mistake },
      { status: "fulfilled", value: B },
    ]);
  });

  it("given leases that wait, when all are refused, then each gets the error and no timer is left", async () => {
    const waits = [queue.wait(A), queue.wait(B)];
    queue.refuseAll(DbError.closed("it"));
    for (const wait of waits) await expect(wait).rejects.toEqual(coded("DB_CLOSED"));
    expect([queue.length, clock.pending]).toEqual([0, 0]);
  });
});
