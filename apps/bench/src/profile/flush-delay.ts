import type { Behaviour, BehaviourResult, Figure } from "./behaviour.ts";
import { Lab, type LabPorts, PAYLOAD_BYTES } from "./lab.ts";
import { type Measurement, measurementOf } from "./measurement.ts";

/** What it buys, in CPU, and costs, in time, to let publications wait for each other. */
export const FLUSH_DELAY: Behaviour = {
  name: "flush-delay",
  title: "1 publisher → 1000 subscribers at a steady rate, for each flush delay of the channel's kind",
  run: measureFlushDelay,
};

async function measureFlushDelay(ports: LabPorts): Promise<BehaviourResult> {
  const { ratesPerSec, delaysMs } = ports.sizes.flushDelay;
  const figures: Figure[] = [];
  const faults: string[] = [];
  for (const perSec of ratesPerSec) {
    for (const delayMs of delaysMs) {
      const measured = await measureAt(perSec, delayMs, ports);
      const name = `${perSec}/s, ${delayMs} ms`;
      figures.push(...figuresOf(name, measured));
      faults.push(...measured.faults.map((fault) => `${name}: ${fault}`));
    }
  }
  return { figures, faults };
}

async function measureAt(perSec: number, flushDelayMs: number, ports: LabPorts): Promise<Measurement> {
  const { subscribers, window } = ports.sizes;
  const pmEnv = { CHANNEL_KINDS: JSON.stringify({ "*": { flushDelayMs } }) };
  await using lab = await Lab.start("pm", ports, { pmEnv });
  const generator = lab.generator({ payloadBytes: PAYLOAD_BYTES });
  await generator.open({ role: "subscriber", count: subscribers });
  await generator.open({ role: "publisher", count: 1 });
  const pace = { kind: "rate", perSec } as const;
  const sample = await generator.load.publish({ ...window, channels: 1, fanOut: subscribers, pace, sampleEvery: 7 });
  lab.server.assertAlive();
  return measurementOf(sample);
}

function figuresOf(name: string, { cost, serverBusy, latency }: Measurement): Figure[] {
  return [
    { label: `${name}: a message`, value: cost, unit: "µs" },
    { label: `${name}: the core in use`, value: serverBusy, unit: "ratio" },
    { label: `${name}: p50`, value: (latency?.p50Us ?? 0) / 1000, unit: "ms" },
    { label: `${name}: p99`, value: (latency?.p99Us ?? 0) / 1000, unit: "ms" },
  ];
}
