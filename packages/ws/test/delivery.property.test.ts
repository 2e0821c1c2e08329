import * as fc from "fast-check";
import { describe, it } from "vitest";
import { deliveryOperations } from "./support/delivery-operations.ts";
import { CHANNELS, CLIENT_COUNT, DeliverySimulation } from "./support/delivery-simulation.ts";

describe("delivery over a hostile broker", () => {
  it("given any operations, when all is over, then every reader has every publication in order, or was told", async () => {
    const operations = deliveryOperations({ clients: CLIENT_COUNT, channels: CHANNELS.length });
    await fc.assert(
      fc.asyncProperty(fc.integer(), operations, async (seed, given) => {
        await using simulation = new DeliverySimulation(seed);
        await simulation.run(given);
      }),
    );
  }, 600_000);
});
