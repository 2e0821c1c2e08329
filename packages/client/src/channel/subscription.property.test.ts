import { ManualClock } from "@pm/core/testing";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ModelConnection, ModelLog } from "../../test/model-log.ts";
import type { StreamPosition } from "../wire/messages.ts";
import { RetryTurns } from "./retry-turns.ts";
import { Subscription } from "./subscription.ts";
import type { Miss } from "./subscription-listener.ts";

/** What the application saw, in order. */
type Seen = { readonly kind: "publication"; readonly id: string } | { readonly kind: "gap"; readonly miss: Miss };

const STEPS = [
  "append",
  "append",
  "serve",
  "serve",
  "serve",
  "read",
  "read",
  "read",
  "cut",
  "join",
  "joinOther",
  "forget",
  "restart",
  "pause",
  "resume",
  "wait",
] as const;
const steps = fc.array(fc.record({ step: fc.constantFrom(...STEPS), pick: fc.nat({ max: 1 }) }), {
  maxLength: 150,
  size: "max",
});

/** A subscription on at most two connections to one log. */
class World {
  /** The log of two servers that share one, and that of a server of its own. */
  readonly logs = [new ModelLog("a"), new ModelLog("b")] as const;
  readonly clock = new ManualClock();
  readonly seen: Seen[] = [];
  readonly positions: StreamPosition[] = [];
  readonly subscription: Subscription;
  connections: ModelConnection[] = [];

  constructor() {
    const random = { fraction: () => 0.5, id: () => "" };
    const gap = (miss: Miss): number => this.seen.push({ kind: "gap", miss });
    this.subscription = new Subscription(
      "c",
      { clock: this.clock, random, turns: new RetryTurns(this.clock), onEpoch: () => undefined },
      {
        onPublication: ({ messageId }, position) => {
          expect(this.subscription.isReading).toBe(true);
          this.seen.push({ kind: "publication", id: messageId });
          this.positions.push(position);
        },
        onLagged: gap,
        onMissed: gap,
        onRecovered: () => undefined,
        onState: () => undefined,
        onFailed: () => undefined,
      },
    );
    this.subscription.begin({}, undefined);
    this.join();
    this.settle();
  }

  join(log = this.logs[0]): void {
    if (this.connections.length === 2) this.cut(0);
    const connection = new ModelConnection(log);
    this.connections.push(connection);
    this.subscription.join(connection.asConnection);
  }

  cut(index: number): void {
    const [connection] = this.connections.splice(index % Math.max(1, this.connections.length), 1);
    if (connection !== undefined) this.subscription.leave(connection.asConnection);
  }

  take(step: (typeof STEPS)[number], pick: number): void {
    const connection = this.connections[pick % Math.max(1, this.connections.length)];
    const log = this.logs[pick === 0 ? 0 : 1];
    if (step === "append") log.append();
    else if (step === "serve") connection?.serve();
    else if (step === "read") connection?.read(this.subscription);
    else if (step === "cut") this.cut(pick);
    else if (step === "join") this.join();
    else if (step === "joinOther") this.join(this.logs[1]);
    else if (step === "forget") log.forget(2);
    else if (step === "restart") log.restart();
    else if (step === "pause") this.subscription.pause();
    else if (step === "resume") this.subscription.resume(this.connections.at(-1)?.asConnection);
    else this.clock.advance(1000);
  }

  /** Lets everything happen that is under way. */
  settle(): void {
    for (let isBusy = true; isBusy; ) {
      isBusy = this.connections
        .map((connection) => connection.serve() || connection.read(this.subscription))
        .includes(true);
    }
  }
}

/** Offsets of one epoch are consecutive, or there is word of a gap before the jump. */
function assertNothingSilent(seen: readonly Seen[]): void {
  let last: { epoch: string; offset: number } | undefined;
  for (const event of seen) {
    if (event.kind === "gap") {
      last = event.miss.position;
      continue;
    }
    const [epoch = "", offset = ""] = event.id.split(".");
    if (last !== undefined)
      expect({ epoch, offset: Number(offset) }).toEqual({ epoch: last.epoch, offset: last.offset + 1 });
    last = { epoch, offset: Number(offset) };
  }
}

describe("Subscription", () => {
  it("given cuts, moves, pauses, lags and new epochs at random, when publications come, then none comes twice or is missed without notice", () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const world = new World();
        for (const { step, pick } of taken) world.take(step, pick);
        assertNothingSilent(world.seen);
        const ids = world.seen.flatMap((event) => (event.kind === "publication" ? [event.id] : []));
        expect(new Set(ids).size).toBe(ids.length);
      }),
    );
  });

  it("given any history, when a connection stands for a while, then the cursor reaches the top, and the move is complete", () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const world = new World();
        for (const { step, pick } of taken) world.take(step, pick);
        world.join();
        world.subscription.resume(world.connections.at(-1)?.asConnection);
        for (let round = 0; round < 5; round++) {
          world.settle();
          world.clock.advance(30_000);
        }
        const [log] = world.logs;
        log.append();
        world.settle();
        expect(world.subscription.cursor).toEqual(log.position(log.top));
        expect(world.subscription.isCaughtUpOn((world.connections.at(-1) as ModelConnection).asConnection)).toBe(true);
        assertNothingSilent(world.seen);
      }),
    );
  });
});
