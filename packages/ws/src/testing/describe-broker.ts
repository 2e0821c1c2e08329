import { ManualClock } from "@pm/core/testing";
import { describe } from "vitest";
import { describeAppend } from "./broker-contract/append-contract.ts";
import { type BrokerFactory, closeAfterTest, type StartBroker } from "./broker-contract/broker-fixture.ts";
import { describeClose } from "./broker-contract/close-contract.ts";
import { describeEpochs } from "./broker-contract/epoch-contract.ts";
import { describeForget } from "./broker-contract/forget-contract.ts";
import { describeIdempotency } from "./broker-contract/idempotency-contract.ts";
import { describeIsolation } from "./broker-contract/isolation-contract.ts";
import { describeNotices } from "./broker-contract/notice-contract.ts";
import { describeRead } from "./broker-contract/read-contract.ts";

/** Keeps all that a test appends. */
const LARGE = { count: 1_000_000, bytes: 1_000_000_000, ageMs: 86_400_000 } as const;

/**
 * Holds a Broker to its contract; every implementation runs it. It is to be called at the top of a test file of vitest.
 * @param factory makes an empty broker with the clock and the retention it is given
 */
export function describeBroker(name: string, factory: BrokerFactory): void {
  const start: StartBroker = async (retention) => {
    const clock = new ManualClock();
    return { clock, broker: closeAfterTest(await factory({ clock, retention: { ...LARGE, ...retention } })) };
  };
  describe(`${name} as a Broker`, () => {
    describeAppend(start);
    describeRead(start);
    describeIdempotency(start);
    describeEpochs(start);
    describeNotices(start);
    describeForget(start);
    describeIsolation(start);
    describeClose(start);
  });
}
