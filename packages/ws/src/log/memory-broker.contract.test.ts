import { describeBroker } from "../testing/describe-broker.ts";
import { MemoryBroker } from "./memory-broker.ts";

describeBroker(
  "MemoryBroker",
  async ({ clock, retention }) => new MemoryBroker({ clock, retentionOf: () => retention }),
);
