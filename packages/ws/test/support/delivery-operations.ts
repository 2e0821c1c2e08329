import * as fc from "fast-check";
import { type BrokerFaults, NO_FAULTS } from "../../src/testing/index.ts";

/** Something that happens to a server, its clients or its broker. Clients and channels are indexes. */
export type DeliveryOperation =
  | {
      readonly kind: "publish";
      readonly client: number;
      readonly channel: number;
      readonly count: number;
      readonly bytes: number;
    }
  | { readonly kind: "subscribe"; readonly client: number; readonly channel: number; readonly from: SubscribeStart }
  | { readonly kind: "unsubscribe"; readonly client: number; readonly channel: number }
  | { readonly kind: "stall" | "resume" | "cut" | "reconnect"; readonly client: number }
  | { readonly kind: "faults"; readonly faults: BrokerFaults }
  | { readonly kind: "lose-tail"; readonly channel: number; readonly count: number }
  | { readonly kind: "renew" | "interrupt"; readonly channel: number }
  | { readonly kind: "pass"; readonly ms: number };

/**
 * Where a Subscribe begins: at the top, at the last n, at the cursor of the client, or at a position made up from it.
 */
export type SubscribeStart =
  | { readonly kind: "top" }
  | { readonly kind: "cursor" }
  | { readonly kind: "rewind"; readonly count: number }
  | { readonly kind: "near-cursor"; readonly by: number; readonly check: "same" | "none" | "wrong" };

/** How many clients and channels operations may name. */
export interface DeliveryScope {
  readonly clients: number;
  readonly channels: number;
}

const start: fc.Arbitrary<SubscribeStart> = fc.oneof(
  fc.constant({ kind: "top" as const }),
  fc.constant({ kind: "cursor" as const }),
  fc.record({ kind: fc.constant("rewind" as const), count: fc.integer({ min: 1, max: 30 }) }),
  fc.record({
    kind: fc.constant("near-cursor" as const),
    by: fc.integer({ min: -30, max: 3 }),
    check: fc.constantFrom("same" as const, "none" as const, "wrong" as const),
  }),
);

const share = fc.constantFrom(0, 0, 0.1, 0.5, 1);
const faults: fc.Arbitrary<BrokerFaults> = fc.oneof(
  fc.constant(NO_FAULTS),
  fc.record({
    dropNotices: share,
    duplicateNotices: share,
    delayNotices: share,
    interrupt: fc.constantFrom(0, 0.1),
    delayReads: share,
    delayAppends: share,
    failReads: fc.constantFrom(0, 0, 0.1, 0.3),
    failAppends: fc.constantFrom(0, 0, 0.1),
    maxDelayMs: fc.constantFrom(1, 40, 300),
  }),
);

function kind<Kind extends string>(value: Kind): fc.Arbitrary<Kind> {
  return fc.constant(value);
}

/** Operations in any order; most of them are about the first client and channel, so that they meet. */
export function deliveryOperations({ clients, channels }: DeliveryScope): fc.Arbitrary<DeliveryOperation[]> {
  const client = fc.oneof(fc.constant(0), fc.nat({ max: clients - 1 }));
  const channel = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat({ max: channels - 1 }));
  const operation: fc.Arbitrary<DeliveryOperation> = fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        kind: kind("publish"),
        client,
        channel,
        count: fc.constantFrom(1, 1, 2, 3, 15),
        bytes: fc.constantFrom(0, 100, 5000, 40_000),
      }),
    },
    { weight: 6, arbitrary: fc.record({ kind: kind("subscribe"), client, channel, from: start }) },
    { weight: 1, arbitrary: fc.record({ kind: kind("unsubscribe"), client, channel }) },
    { weight: 2, arbitrary: fc.record({ kind: kind("stall"), client }) },
    { weight: 2, arbitrary: fc.record({ kind: kind("resume"), client }) },
    { weight: 1, arbitrary: fc.record({ kind: kind("cut"), client }) },
    { weight: 2, arbitrary: fc.record({ kind: kind("reconnect"), client }) },
    { weight: 3, arbitrary: fc.record({ kind: kind("faults"), faults }) },
    { weight: 3, arbitrary: fc.record({ kind: kind("lose-tail"), channel, count: fc.constantFrom(1, 1, 2, 5) }) },
    { weight: 1, arbitrary: fc.record({ kind: kind("renew"), channel }) },
    { weight: 1, arbitrary: fc.record({ kind: kind("interrupt"), channel }) },
    { weight: 6, arbitrary: fc.record({ kind: kind("pass"), ms: fc.constantFrom(0, 0, 1, 20, 500, 6000) }) },
  );
  return fc.array(operation, { minLength: 5, maxLength: 80, size: "max" });
}
