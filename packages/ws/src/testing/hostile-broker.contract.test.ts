import { systemClock } from "@pm/core";
import { MemoryBroker } from "../log/memory-broker.ts";
import { describeBroker } from "./describe-broker.ts";
import { HostileBroker } from "./hostile-broker.ts";
import { SeededRandom } from "./seeded-random.ts";

const LATE = { delayAppends: 0.3, delayReads: 0.2, maxDelayMs: 1 };

describeBroker("HostileBroker without faults", async ({ clock, retention }) => {
  const broker = new MemoryBroker({ clock, retentionOf: () => retention });
  return new HostileBroker({ broker, clock, random: new SeededRandom(1) });
});

// The delays are in real time, since nobody moves the clock while the suite waits.
describeBroker("HostileBroker that is late", async ({ clock, retention }) => {
  const broker = new MemoryBroker({ clock, retentionOf: () => retention });
  return new HostileBroker({ broker, clock: systemClock, random: new SeededRandom(2), faults: LATE });
});
