import { parseTenantId } from "@pm/core";
import { expect, test } from "vitest";
import { TurnScheduler } from "./turn-scheduler.ts";

const A = parseTenantId("a");
const B = parseTenantId("b");

/** Lasts until the current work of the scheduler's turns is done. */
async function nextTurn(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}

function spin(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

/** Takes part in `parts` steps, each as long as told. */
function job(name: string, parts: number, told: { steps: string[]; ms?: number; done?: () => void }) {
  let left = parts;
  return {
    step(): boolean {
      told.steps.push(name);
      if (told.ms !== undefined) spin(told.ms);
      left--;
      if (left === 0) told.done?.();
      return left > 0;
    },
  };
}

test("given a job, when it is added, then it runs in a later turn and not at once", async () => {
  const steps: string[] = [];
  const scheduler = new TurnScheduler();
  scheduler.add(A, job("a", 1, { steps }));
  expect(steps).toEqual([]);
  await nextTurn();
  expect(steps).toEqual(["a"]);
});

test("given a job that has more, when it is stepped, then it is continued until it has none, and then left", async () => {
  const steps: string[] = [];
  const scheduler = new TurnScheduler();
  await new Promise<void>((done) => scheduler.add(A, job("a", 20, { steps, done })));
  await nextTurn();
  expect(steps).toHaveLength(20);
});

test("given two jobs of a tenant, when both have more, then they take turns", async () => {
  const steps: string[] = [];
  const scheduler = new TurnScheduler();
  scheduler.add(A, job("1", 2, { steps }));
  await new Promise<void>((done) => scheduler.add(A, job("2", 2, { steps, done })));
  expect(steps).toEqual(["1", "2", "1", "2"]);
});

test("given a tenant with much work, when another has a little, then it has its turn before the first is done", async () => {
  const steps: string[] = [];
  const scheduler = new TurnScheduler();
  const ended = new Promise<void>((done) => scheduler.add(A, job("a", 12, { steps, ms: 1.5, done })));
  scheduler.add(B, job("b", 1, { steps }));
  await ended;
  expect(steps.indexOf("b")).toBeGreaterThan(0);
  expect(steps.indexOf("b")).toBeLessThan(6);
  expect(steps.filter((name) => name === "a")).toHaveLength(12);
});

test("given much work, when a turn is over, then the event loop goes on before the rest", async () => {
  const steps: string[] = [];
  const scheduler = new TurnScheduler();
  const ended = new Promise<void>((done) => scheduler.add(A, job("a", 12, { steps, ms: 1.5, done })));
  await nextTurn();
  expect(steps.length).toBeGreaterThan(0);
  expect(steps.length).toBeLessThan(12);
  await ended;
  expect(steps).toHaveLength(12);
});

test("given more jobs than are touched at once, when they have their turn, then each is touched before its first step", async () => {
  const told: string[] = [];
  const scheduler = new TurnScheduler();
  for (let n = 0; n < 40; n++) {
    scheduler.add(A, {
      touch: () => told.push(`touch ${n}`),
      step: () => {
        told.push(`step ${n}`);
        return false;
      },
    });
  }
  while (told.length < 80) await nextTurn();
  for (let n = 0; n < 40; n++) expect(told.indexOf(`touch ${n}`)).toBeLessThan(told.indexOf(`step ${n}`));
  expect(told.indexOf("touch 1")).toBeLessThan(told.indexOf("step 0"));
  expect(told.filter((each) => each.startsWith("step"))).toEqual(Array.from({ length: 40 }, (_, n) => `step ${n}`));
});

test("given outboxes that are dirty, when the turn ends, then each is flushed once, after the steps", async () => {
  const steps: string[] = [];
  const scheduler = new TurnScheduler();
  scheduler.add(A, {
    step: () => {
      steps.push("step");
      scheduler.markDirty({ flush: () => steps.push("flush 1") });
      scheduler.markDirty({ flush: () => steps.push("flush 2") });
      return false;
    },
  });
  await nextTurn();
  await nextTurn();
  expect(steps).toEqual(["step", "flush 1", "flush 2"]);
});

test("given no work, when an outbox is dirty, then it is flushed at the end of the turn all the same", async () => {
  let flushes = 0;
  const scheduler = new TurnScheduler();
  scheduler.markDirty({ flush: () => flushes++ });
  expect(flushes).toBe(0);
  await nextTurn();
  expect(flushes).toBe(1);
});

test("given a job that adds work of its own tenant, when it is stepped, then that is done too", async () => {
  const steps: string[] = [];
  const scheduler = new TurnScheduler();
  await new Promise<void>((done) => {
    scheduler.add(A, {
      step: () => {
        scheduler.add(A, job("added", 1, { steps, done }));
        return false;
      },
    });
  });
  expect(steps).toEqual(["added"]);
});

test("given a tenant that is behind, when another comes with a little, then that goes first", async () => {
  const steps: string[] = [];
  const scheduler = new TurnScheduler();
  const ended = new Promise<void>((done) => scheduler.add(A, job("a", 12, { steps, ms: 1.5, done })));
  await nextTurn();
  const before = steps.length;
  scheduler.add(B, job("b", 1, { steps }));
  await ended;
  expect(before).toBeGreaterThan(0);
  expect(steps[before]).toBe("b");
});

test("given tenants that come anew in every turn, when one is behind, then it gets on all the same", async () => {
  const steps: string[] = [];
  const scheduler = new TurnScheduler();
  const ended = new Promise<void>((done) => scheduler.add(A, job("a", 6, { steps, ms: 0.6, done })));
  await nextTurn();
  let isDone = false;
  const others = Array.from({ length: 5 }, (_, n) => parseTenantId(`other-${n}`));
  const flood = (async () => {
    while (!isDone) {
      for (const tenant of others) scheduler.add(tenant, job("other", 1, { steps, ms: 0.6 }));
      await nextTurn();
    }
  })();
  await ended;
  isDone = true;
  await flood;
  expect(steps.filter((name) => name === "a")).toHaveLength(6);
});

test("given a tenant that is behind, when it gets more work, then that is done behind what it has, and none is lost", async () => {
  const steps: string[] = [];
  const scheduler = new TurnScheduler();
  const first = new Promise<void>((done) => scheduler.add(A, job("first", 6, { steps, ms: 0.6, done })));
  await nextTurn();
  const before = steps.length;
  const second = new Promise<void>((done) => scheduler.add(A, job("second", 6, { steps, ms: 0.6, done })));
  await Promise.all([first, second]);
  expect(steps[before]).toBe("first");
  expect(steps.toSorted()).toEqual([...Array<string>(6).fill("first"), ...Array<string>(6).fill("second")]);
});

test("given work that sets off more behind the turn, when that is a turn's worth, then the event loop goes on", async () => {
  let steps = 0;
  const scheduler = new TurnScheduler();
  const isDone = (): boolean => steps >= 20;
  scheduler.add(A, { step: () => ++steps < 20, setsOffMs: 10 });
  for (let turn = 1; !isDone(); turn++) {
    await nextTurn();
    expect(steps).toBeLessThanOrEqual(2 * turn);
  }
});

test("given work that has set off much, when other turns come, then each has all of its time", async () => {
  const steps: string[] = [];
  const scheduler = new TurnScheduler();
  await scheduler.turnOf(A, 10_000);
  for (let n = 0; n < 200; n++) scheduler.add(parseTenantId(`other-${n}`), job("other", 1, { steps }));
  let turns = 0;
  for (; steps.length < 200; turns++) await nextTurn();
  expect(turns).toBeLessThan(100);
});

test("given one tenant alone for a while, when it has much to do, then its turns are longer, until another is there too", async () => {
  let steps = 0;
  let isDone = false;
  const scheduler = new TurnScheduler();
  const ofTurn = async (): Promise<number> => {
    const before = steps;
    await nextTurn();
    return steps - before;
  };
  scheduler.add(A, { step: () => ++steps > 0 && !isDone, setsOffMs: 0.25 });
  expect(await ofTurn()).toBeLessThanOrEqual(4);
  for (let turn = 0; turn < 500; turn++) await nextTurn();
  // A machine that is busy with something else may take the time of one.
  expect(Math.max(await ofTurn(), await ofTurn(), await ofTurn())).toBeGreaterThan(4);
  for (let n = 0; n < 20; n++) {
    if (n % 2 === 0) scheduler.add(B, { step: () => false });
    else scheduler.notice(B);
    await nextTurn();
    expect(await ofTurn()).toBeLessThanOrEqual(4);
    for (let turn = 0; turn < 50; turn++) await nextTurn();
  }
  isDone = true;
  await nextTurn();
});
