import { ManualClock } from "@pm/core/testing";
import { beforeEach, expect, test } from "vitest";
import { type Drainable, ShutdownCoordinator, type ShutdownGuard } from "./shutdown-coordinator.ts";

const TIMES = { graceSecs: 2, windowSecs: 20, deadlineSecs: 25 };

class Connection implements Drainable {
  readonly told: string[] = [];
  readonly #clock: ManualClock;
  readonly #endsWhenDrained: boolean;
  guard: ShutdownGuard | undefined;

  constructor(clock: ManualClock, endsWhenDrained: boolean) {
    this.#clock = clock;
    this.#endsWhenDrained = endsWhenDrained;
  }

  goAway(reconnectAfterMs: number): void {
    this.told.push(`${this.#clock.monotonic()} go away ${reconnectAfterMs}`);
  }

  drain(): void {
    this.told.push(`${this.#clock.monotonic()} drain`);
    if (this.#endsWhenDrained) this.guard?.release();
  }

  terminate(): void {
    this.told.push(`${this.#clock.monotonic()} terminate`);
    this.guard?.release();
  }
}

let clock: ManualClock;
let coordinator: ShutdownCoordinator;

beforeEach(() => {
  clock = new ManualClock();
  coordinator = new ShutdownCoordinator(clock);
});

function connect(count: number, endsWhenDrained = true): Connection[] {
  return Array.from({ length: count }, () => {
    const connection = new Connection(clock, endsWhenDrained);
    connection.guard = coordinator.guard(connection);
    return connection;
  });
}

/** Moves the clock on, and lets what awaits it go on. */
async function advance(ms: number): Promise<void> {
  clock.advance(ms);
  await settle();
}

async function settle(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}

test("given nothing that is open, when it drains, then it is done at once, and the listener was closed", async () => {
  let closings = 0;
  await coordinator.drain(TIMES, () => closings++);
  expect(coordinator.phase).toBe("done");
  expect(closings).toBe(1);
  expect(clock.monotonic()).toBe(0);
});

test("given connections, when the grace is not over, then nobody is told and the listener is open", async () => {
  const [connection] = connect(1);
  let closings = 0;
  const drained = coordinator.drain(TIMES, () => closings++);
  expect(coordinator.phase).toBe("grace");
  await advance(1999);
  expect([closings, connection?.told]).toEqual([0, []]);
  await advance(1);
  expect(coordinator.phase).toBe("closing");
  expect([closings, connection?.told]).toEqual([1, ["2000 go away 10000"]]);
  await advance(20_000);
  await drained;
});

test("given four connections, when they are closed, then evenly over the window, with a hint at half of it", async () => {
  const connections = connect(4);
  const drained = coordinator.drain(TIMES);
  await advance(2000);
  await advance(20_000);
  await drained;
  expect(connections.map(({ told }) => told)).toEqual([
    ["2000 go away 2500", "7000 drain"],
    ["2000 go away 5000", "12000 drain"],
    ["2000 go away 7500", "17000 drain"],
    ["2000 go away 10000", "22000 drain"],
  ]);
  expect(coordinator).toMatchObject({ phase: "done", left: 0 });
});

test("given connections that do not end, when the deadline comes, then they are cut off then and not before", async () => {
  const connections = connect(2, false);
  let isDone = false;
  const drained = coordinator.drain(TIMES).then(() => {
    isDone = true;
  });
  await advance(2000);
  await advance(22_999);
  expect([isDone, coordinator.left]).toEqual([false, 2]);
  await advance(1);
  await drained;
  expect(connections.map(({ told }) => told.at(-1))).toEqual(["25000 terminate", "25000 terminate"]);
  expect(coordinator).toMatchObject({ phase: "done", left: 0 });
});

test("given connections that leave on their own, when the last has gone, then the drain ends early", async () => {
  const connections = connect(3);
  const drained = coordinator.drain(TIMES);
  await advance(2000);
  for (const { guard } of connections) guard?.release();
  await drained;
  expect(clock.monotonic()).toBe(2000);
  expect(coordinator.phase).toBe("done");
});

test("given a guard, when it is released twice, then it counts once", async () => {
  const [first] = connect(2);
  const drained = coordinator.drain(TIMES);
  first?.guard?.release();
  first?.guard?.release();
  expect(coordinator.left).toBe(1);
  await advance(2000);
  await advance(20_000);
  await drained;
});

test("given connections and no shutdown, when what is left is asked for, then it is none", () => {
  connect(3);
  expect(coordinator).toMatchObject({ phase: "serving", left: 0 });
});

test("given a drain under way, when it is asked for again, then it is the same one", async () => {
  connect(1);
  const drained = coordinator.drain(TIMES);
  expect(coordinator.drain({ graceSecs: 0 })).toBe(drained);
  await advance(2000);
  await advance(20_000);
  await drained;
});

test("given one that connects in the grace, when that is over, then it is told and closed like the others", async () => {
  connect(1);
  const drained = coordinator.drain(TIMES);
  await advance(1000);
  const [late] = connect(1);
  await advance(1000);
  await advance(20_000);
  await drained;
  expect(late?.told).toEqual(["2000 go away 10000", "22000 drain"]);
});

test("given a grace above the deadline, when the deadline comes, then the grace ends with it, and the rest is cut off", async () => {
  const [connection] = connect(1, false);
  let closings = 0;
  let isDone = false;
  const drained = coordinator.drain({ graceSecs: 30, windowSecs: 20, deadlineSecs: 5 }, () => closings++);
  const done = drained.then(() => {
    isDone = true;
  });
  await advance(4999);
  expect([coordinator.phase, closings, connection?.told]).toEqual(["grace", 0, []]);
  await advance(1);
  // What is left of the deadline is no time at all.
  await advance(0);
  expect([isDone, closings]).toEqual([true, 1]);
  expect(connection?.told.at(-1)).toBe("5000 terminate");
  await done;
});

test("given a listener that cannot be closed, when it drains, then all are ended, and the failure is told at the end", async () => {
  const connections = connect(2, false);
  const drained = coordinator.drain({ graceSecs: 0, windowSecs: 1, deadlineSecs: 2 }, () => {
    throw new Error("not listening");
  });
  const told = expect(drained).rejects.toThrow("not listening");
  for (let second = 0; second < 3; second++) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1000);
  }
  await told;
  expect(coordinator.phase).toBe("done");
  for (const { told: steps } of connections) expect(steps.at(-1)).toMatch(/terminate$/);
});
