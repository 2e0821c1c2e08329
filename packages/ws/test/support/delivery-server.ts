// A server as a process of its own, so that its memory is its own. It publishes on request, and tells what it holds.
import { parseTenantId } from "@pm/core";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type AppendResult, attach } from "../../src/index.ts";
import { payloadWithId } from "../../src/testing/payload-id.ts";
import type {
  BackendPublish,
  DeliveryServerReply,
  DeliveryServerRequest,
  DeliveryServerSetup,
} from "./delivery-server-messages.ts";
import { nameAuthenticator } from "./name-authenticator.ts";

const { channelKinds } = JSON.parse(process.argv[2] ?? "{}") as DeliveryServerSetup;
const http = createServer();
// Who stalls stays, however long the test takes.
const stays = { minDrainBytesPerSec: 0, heartbeatIntervalSecs: 3600 };
const server = attach(http, { authenticator: nameAuthenticator, channelKinds, ...stays });
let startBytes = 0;
let grownBytes = 0;
let mostQueuedBytes = 0;

http.listen(0, "127.0.0.1", () => reply({ kind: "listening", port: (http.address() as AddressInfo).port }));
process.on("message", (request) => void answer(request as DeliveryServerRequest));
process.on("disconnect", () => process.exit());
setInterval(look, 10);

async function answer(request: DeliveryServerRequest): Promise<void> {
  switch (request.kind) {
    case "publish": {
      const { position, messageId } = await publish(request.publish);
      reply({ kind: "published", position, messageId });
      break;
    }
    case "measure":
      globalThis.gc?.();
      startBytes = process.memoryUsage.rss();
      grownBytes = 0;
      mostQueuedBytes = 0;
      reply({ kind: "measuring" });
      break;
    case "stats":
      look();
      reply({ kind: "stats", stats: { ...outbound(), grownBytes, mostQueuedBytes } });
      break;
    default:
      request satisfies never;
  }
}

async function publish({ tenant, channel, prefix, count, bytes, atOnce }: BackendPublish): Promise<AppendResult> {
  const target = { tenant: parseTenantId(tenant), channel };
  let last: AppendResult | undefined;
  for (let n = 1; n <= count; n++) {
    const payload = payloadWithId(`${prefix}${n}`, { kind: "data", bytes });
    last = await server.publish(target, payload.kind === "data" ? { payload: payload.data } : {});
    if (n % atOnce === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  if (last === undefined) throw new RangeError("nothing was published");
  return last;
}

function look(): void {
  grownBytes = Math.max(grownBytes, process.memoryUsage.rss() - startBytes);
  mostQueuedBytes = Math.max(mostQueuedBytes, outbound().queuedBytes);
}

function outbound(): { queuedBytes: number; lagging: number } {
  const connections = [...server.connections.find()];
  return {
    queuedBytes: connections.reduce((sum, { outbox }) => sum + outbox.queuedBytes, 0),
    lagging: connections.filter(({ outbox }) => outbox.isBehind).length,
  };
}

function reply(message: DeliveryServerReply): void {
  process.send?.(message);
}
