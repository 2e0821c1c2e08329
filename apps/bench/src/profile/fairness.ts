import type { Pace, PublishPlan, WindowPlan, WindowSample } from "../generator/generator-protocol.ts";
import type { Behaviour, BehaviourResult, Figure } from "./behaviour.ts";
import { Lab, type LabPorts, PAYLOAD_BYTES } from "./lab.ts";
import { faultsOf } from "./measurement.ts";

const QUIET_SUBSCRIBERS = 10;
const QUIET_PER_SEC = 100;
const FLOOD_OUTSTANDING = 64;
/** Senders of the flood that hardly anybody reads, each to a channel with one reader. */
const SENDERS = 4;
const TARGET_RATIO = 2;
/** A p99 below this is good, whatever it was alone. */
const TARGET_FLOOR_MS = 5;

/** One tenant's delivery while another one floods. */
export const FAIRNESS: Behaviour = {
  name: "fairness",
  title: "a quiet tenant, alone, while another floods 1000 subscribers, and while another sends as fast as it can",
  run: measureFairness,
};

/** How the loud tenant floods. */
interface Flood {
  readonly subscribers: number;
  readonly publishers: number;
  readonly channels: number;
  readonly pace: Pace;
}

/** What was seen of the quiet tenant, alone and beside the flood, and of the flood. */
interface Beside {
  readonly alone: WindowSample;
  readonly beside: WindowSample;
  readonly flood: WindowSample;
}

async function measureFairness(ports: LabPorts): Promise<BehaviourResult> {
  const crowd = await measureBeside(ports, {
    subscribers: ports.sizes.subscribers,
    publishers: 1,
    channels: 1,
    pace: { kind: "outstanding", count: FLOOD_OUTSTANDING },
  });
  const stream = await measureBeside(ports, {
    subscribers: SENDERS,
    publishers: SENDERS,
    channels: SENDERS,
    pace: { kind: "flood" },
  });
  return {
    figures: [
      { label: "p99 alone", value: p99Ms(crowd.alone), unit: "ms" },
      p99Figure("p99 under the flood", crowd),
      { label: "deliveries of the flood", value: perSec(crowd.flood), unit: "messages a second" },
      p99Figure(`p99 while ${SENDERS} send as fast as they can`, stream),
      { label: "what these send", value: perSec(stream.flood), unit: "messages a second" },
    ],
    faults: [...faultsBeside(crowd), ...faultsBeside(stream)],
  };
}

async function measureBeside(ports: LabPorts, flood: Flood): Promise<Beside> {
  await using lab = await Lab.start("pm", ports);
  const { fairnessSecs: secs, fillSecs, window } = ports.sizes;
  // Both may share a core: what the quiet tenant's clients see must not be the other generator's work.
  const quiet = lab.generator({ payloadBytes: PAYLOAD_BYTES, tenant: "quiet", manner: "sleeps" });
  const loud = lab.generator({ payloadBytes: PAYLOAD_BYTES, tenant: "loud", manner: "yields" });
  await quiet.open({ role: "subscriber", count: QUIET_SUBSCRIBERS });
  await quiet.open({ role: "publisher", count: 1 });
  await loud.open({ role: "subscriber", count: flood.subscribers, channels: flood.channels });
  await loud.open({ role: "publisher", count: flood.publishers });

  const alone = await quiet.load.publish(quietPlan({ ...window, secs }));
  // What a flood has V8 compile for the first time takes milliseconds of the one core that the server has.
  const plan = { warmSecs: fillSecs, secs };
  const [beside, sample] = await Promise.all([
    quiet.load.publish(quietPlan(plan)),
    loud.load.publish(floodPlan({ ...plan, secs: secs + 0.2 }, flood)),
  ]);
  lab.server.assertAlive();
  return { alone, beside, flood: sample };
}

function quietPlan(window: WindowPlan): PublishPlan {
  const pace = { kind: "rate", perSec: QUIET_PER_SEC } as const;
  return { ...window, channels: 1, fanOut: QUIET_SUBSCRIBERS, pace, sampleEvery: 1 };
}

function floodPlan(window: WindowPlan, { subscribers, channels, pace }: Flood): PublishPlan {
  return { ...window, channels, fanOut: subscribers / channels, pace, sampleEvery: 7 };
}

function p99Figure(label: string, { alone, beside }: Beside): Figure {
  const target = Math.max(TARGET_FLOOR_MS, TARGET_RATIO * p99Ms(alone));
  return { label, value: p99Ms(beside), unit: "ms", target };
}

function p99Ms({ latency }: WindowSample): number {
  return latency.p99Us / 1000;
}

function perSec({ units, seconds }: WindowSample): number {
  return units / seconds;
}

function faultsBeside({ alone, beside, flood }: Beside): string[] {
  return [...faultsOf(alone), ...faultsOf(beside), ...faultsOf(flood).map((fault) => `flood: ${fault}`)];
}
