import type { PublishPlan, WindowSample } from "../generator/generator-protocol.ts";
import type { Behaviour, BehaviourResult } from "./behaviour.ts";
import { Lab, type LabGenerator, type LabPorts, PAYLOAD_BYTES } from "./lab.ts";
import { faultsOf } from "./measurement.ts";

const QUIET_SUBSCRIBERS = 10;
const QUIET_PER_SEC = 100;
const FLOOD_OUTSTANDING = 64;
const TARGET_RATIO = 2;
/** A p99 below this is good, whatever it was alone. */
const TARGET_FLOOR_MS = 5;

/** One tenant's delivery while another one floods. */
export const FAIRNESS: Behaviour = {
  name: "fairness",
  title: "a quiet tenant, alone and while another floods 1000 subscribers as fast as it can",
  run: measureFairness,
};

async function measureFairness(ports: LabPorts): Promise<BehaviourResult> {
  await using lab = await Lab.start("pm", ports);
  const { fairnessSecs: secs, subscribers, window } = ports.sizes;
  // Both may share a core: what the quiet tenant's clients see must not be the other generator's work.
  const quiet = lab.generator({ payloadBytes: PAYLOAD_BYTES, tenant: "quiet", manner: "sleeps" });
  const loud = lab.generator({ payloadBytes: PAYLOAD_BYTES, tenant: "loud", manner: "yields" });
  await openBoth(quiet, loud, subscribers);

  const plan = { ...window, secs };
  const alone = await quiet.load.publish(quietPlan(plan));
  const [beside, flood] = await Promise.all([
    quiet.load.publish(quietPlan(plan)),
    loud.load.publish(floodPlan({ ...plan, secs: secs + 0.2 }, subscribers)),
  ]);
  lab.server.assertAlive();
  return resultOf(alone, beside, flood);
}

async function openBoth(quiet: LabGenerator, loud: LabGenerator, subscribers: number): Promise<void> {
  await quiet.open({ role: "subscriber", count: QUIET_SUBSCRIBERS });
  await quiet.open({ role: "publisher", count: 1 });
  await loud.open({ role: "subscriber", count: subscribers });
  await loud.open({ role: "publisher", count: 1 });
}

function quietPlan(window: { readonly warmSecs: number; readonly secs: number }): PublishPlan {
  const pace = { kind: "rate", perSec: QUIET_PER_SEC } as const;
  return { ...window, channels: 1, fanOut: QUIET_SUBSCRIBERS, pace, sampleEvery: 1 };
}

function floodPlan(window: { readonly warmSecs: number; readonly secs: number }, subscribers: number): PublishPlan {
  const pace = { kind: "outstanding", count: FLOOD_OUTSTANDING } as const;
  return { ...window, channels: 1, fanOut: subscribers, pace, sampleEvery: 7 };
}

function resultOf(alone: WindowSample, beside: WindowSample, flood: WindowSample): BehaviourResult {
  const aloneMs = alone.latency.p99Us / 1000;
  const besideMs = beside.latency.p99Us / 1000;
  return {
    figures: [
      { label: "p99 alone", value: aloneMs, unit: "ms" },
      {
        label: "p99 under the flood",
        value: besideMs,
        unit: "ms",
        target: Math.max(TARGET_FLOOR_MS, TARGET_RATIO * aloneMs),
      },
      { label: "deliveries of the flood", value: flood.units / flood.seconds, unit: "messages a second" },
    ],
    faults: [...faultsOf(alone), ...faultsOf(beside), ...faultsOf(flood).map((fault) => `flood: ${fault}`)],
  };
}
