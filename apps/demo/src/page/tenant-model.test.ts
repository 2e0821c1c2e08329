import { describe, expect, it } from "vitest";
import { applyEntry, emptyLog } from "../board/board-state.ts";
import { dataOf } from "../board/board-command.ts";
import { TENANTS } from "../board/tenants.ts";
import type { ReaderOrder } from "../reader/reader-protocol.ts";
import { TenantModel } from "./tenant-model.ts";

const [tenant] = TENANTS;
const START = emptyLog(tenant.seed);
const MOVE = { kind: "card.moved", card: "a1", column: "done", before: undefined } as const;

function setUp() {
  const orders: ReaderOrder[] = [];
  const model = new TenantModel({ tenant, user: "Ada", send: (order) => orders.push(order) });
  model.onReport({ kind: "restored", epoch: "e", state: START });
  const issued = () => {
    const order = orders.at(-1);
    if (order?.kind !== "publish") throw new Error("nothing was published");
    return order.issued;
  };
  const deliver = (given: ReturnType<typeof issued>, publisher: string) => {
    const entry = {
      offset: 1,
      event: given.command.kind,
      data: dataOf(given),
      epoch: "e",
      publisher,
      publishedAtMs: 5,
    };
    model.onReport({ kind: "entry", entry, state: applyEntry(START, entry) });
  };
  return { model, issued, deliver };
}

describe("TenantModel", () => {
  it("given a command when it is given then the board shows it before the server answers", () => {
    const { model } = setUp();
    model.give(MOVE);
    expect(model.board.value.done.map(({ id }) => id)).toEqual(["c1", "a1"]);
    expect(model.state.value).toEqual(START);
    expect([...model.pendingCards.value]).toEqual(["a1"]);
  });

  it("given a command when it is delivered then it waits no longer, and is told of", () => {
    const { model, issued, deliver } = setUp();
    model.give(MOVE);
    deliver(issued(), "Ada");
    expect(model.pendingCards.value.size).toBe(0);
    expect(model.board.value.done.map(({ id }) => id)).toEqual(["c1", "a1"]);
    expect(model.activities.value).toEqual([
      { offset: 1, text: "Ada moved “Quote for the Hill Street roof” to Done", atMs: 5 },
    ]);
    expect(model.touched.value).toBeUndefined();
  });

  it("given a command of somebody else when it is delivered then its card is marked", () => {
    const { model, deliver } = setUp();
    deliver({ id: "of another window", command: MOVE }, "Bela");
    expect(model.touched.value).toEqual({ card: "a1", offset: 1 });
  });

  it("given a command when it is refused then the board is as before and says why", () => {
    const { model, issued } = setUp();
    model.give(MOVE);
    model.onReport({ kind: "refused", id: issued().id, reason: "too many moves in a minute" });
    expect(model.board.value).toEqual(tenant.seed);
    expect(model.notice.value).toBe("Not saved: too many moves in a minute.");
  });

  it("given a command that was accepted when the board that holds it is restored then it waits no longer", () => {
    const { model, issued } = setUp();
    model.give(MOVE);
    model.onReport({ kind: "accepted", id: issued().id, offset: 3 });
    expect(model.pendingCards.value.size).toBe(1);
    model.onReport({ kind: "restored", epoch: "e", state: { ...START, offset: 3 } });
    expect(model.pendingCards.value.size).toBe(0);
  });

  it("given the ends of the logs when it measures then the lag is what has not come", () => {
    const { model } = setUp();
    const position = { epoch: "t", offset: 7, check: 1 };
    model.onReport({ kind: "traffic", received: 7, position, latencies: [] });
    model.onTops({ board: 2, traffic: 10 });
    model.measure(1000);
    expect(model.lag.value).toBe(5);
  });

  it("given latencies of more than a minute when they are reported then the last minute is kept", () => {
    const { model } = setUp();
    const latencies = [0, 30_000, 61_000].map((publishedAtMs) => ({ publishedAtMs, latencyMs: 1 }));
    model.onReport({ kind: "traffic", received: 3, position: undefined, latencies });
    expect(model.latencies.value.map(({ publishedAtMs }) => publishedAtMs)).toEqual([30_000, 61_000]);
  });

  it("given a connection that was lost when both channels are back then what they recovered is said in one sum", () => {
    const { model } = setUp();
    const interrupted = (recovered: number) =>
      model.onReport({ kind: "interrupted", counts: { recovered, missed: 0, isMissedUncertain: false } });
    model.onReport({ kind: "connection", connection: { kind: "connected" } });
    model.onReport({ kind: "connection", connection: { kind: "connecting" } });
    model.onReport({ kind: "connection", connection: { kind: "connected" } });
    for (const recovered of [2, 20]) interrupted(recovered);
    expect(model.notice.value).toBe("Acme is back. 20 publications came late, in order. Nothing is missed.");
    model.stall(1000, Date.now());
    interrupted(21);
    expect(model.notice.value).toBe("Acme is back. 1 publication came late, in order. Nothing is missed.");
  });
});
