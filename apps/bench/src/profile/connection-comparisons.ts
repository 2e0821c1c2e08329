import { setTimeout as delay } from "node:timers/promises";
import type { ServerKind } from "../dialect/dialect.ts";
import { LinuxProcessMeter } from "../process/process-meter.ts";
import type { Comparison } from "./comparison.ts";
import { Lab, type LabPorts, PAYLOAD_BYTES } from "./lab.ts";
import { type Measurement, measurementOf } from "./measurement.ts";

const HANDSHAKE_CONCURRENCY = 64;
/** Clients that come back again and again. */
const HANDSHAKE_TOKENS = 100;
/** Addresses that handshakes come from: the ports of one would run out. */
const HANDSHAKE_SOURCES = 100;
/** Of the connections, those that are open before the first reading: what only the first ones cost is not counted. */
const BASE_SHARE = 0.25;
const IDLE_SOURCES = 4;

/** What connections cost before anything is said. */
export const CONNECTION_COMPARISONS: readonly Comparison[] = [
  {
    name: "handshake",
    title: "handshake, on pm with a verified HS256 token, a hundred of them in turn",
    unit: "µs CPU a handshake",
    target: 1.4,
    run: (kind, ports) => handshakes(kind, ports, HANDSHAKE_TOKENS),
  },
  {
    name: "first-handshake",
    title: "the same, each with a token that pm has not seen before",
    unit: "µs CPU a handshake",
    target: undefined,
    run: (kind, ports) => handshakes(kind, ports, Number.POSITIVE_INFINITY),
  },
  {
    name: "idle-memory",
    title: "idle connections, one subscription each, to a channel of its own",
    unit: "bytes a connection",
    target: 1.25,
    run: idleMemory,
  },
];

async function handshakes(kind: ServerKind, ports: LabPorts, maxTokens: number): Promise<Measurement> {
  await using lab = await Lab.start(kind, ports);
  const { handshakes: count } = ports.sizes;
  const warmCount = Math.ceil(count / 3);
  const spare = 2 * HANDSHAKE_CONCURRENCY;
  const { load } = lab.generator({ payloadBytes: PAYLOAD_BYTES });
  const sample = await load.handshakes({
    warmCount,
    count,
    concurrency: HANDSHAKE_CONCURRENCY,
    tokens: await lab.tokens(Math.min(maxTokens, warmCount + count + spare)),
    sources: HANDSHAKE_SOURCES,
  });
  lab.server.assertAlive();
  return measurementOf(sample);
}

async function idleMemory(kind: ServerKind, ports: LabPorts): Promise<Measurement> {
  await using lab = await Lab.start(kind, ports, { collectsGarbage: true });
  const { server } = lab;
  const { idleConnections, settleSecs } = ports.sizes;
  const generator = lab.generator({ payloadBytes: PAYLOAD_BYTES, manner: "sleeps" });
  const open = (count: number, firstChannel: number): Promise<void> =>
    generator.open({ role: "subscriber", count, channels: count, firstChannel, sources: IDLE_SOURCES });
  const meter = new LinuxProcessMeter(server.pid);
  const restingBytes = async (): Promise<number> => {
    await delay(settleSecs * 1000);
    await server.collectGarbage();
    return meter.residentBytes();
  };

  const base = Math.round(idleConnections * BASE_SHARE);
  await open(base, 0);
  const baseBytes = await restingBytes();
  const count = idleConnections - base;
  const startMs = performance.now();
  const startCpuUs = meter.cpuUs();
  await open(count, base);
  const seconds = (performance.now() - startMs) / 1000;
  const serverBusy = (meter.cpuUs() - startCpuUs) / 1e6 / seconds;
  const cost = ((await restingBytes()) - baseBytes) / count;
  server.assertAlive();
  const faults = cost > 0 ? [] : ["memory has not grown: too few connections"];
  return {
    cost,
    perSec: count / seconds,
    serverBusy,
    serverWaited: 0,
    generatorBusy: 0,
    latency: undefined,
    faults,
  };
}
