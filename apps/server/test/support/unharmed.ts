import { expect } from "vitest";
import { ProtocolClient } from "./protocol-client.ts";
import type { ServerProcess } from "./server-process.ts";

/** Expects the same process, without a fault in its log, to serve a healthy client as if nothing had happened. */
export async function expectUnharmed(server: ServerProcess): Promise<void> {
  expect(server.isRunning).toBe(true);
  await using client = await ProtocolClient.connect(server, { tenant: "healthy", user: "healthy" });
  await client.subscribe("health:check");
  const { messageId } = await client.publish("health:check", "1");
  expect((await client.take("publication")).messageId).toBe(messageId);
  expect(server.faults).toEqual([]);
}
