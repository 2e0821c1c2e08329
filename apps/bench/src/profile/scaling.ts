import type { Behaviour, BehaviourResult } from "./behaviour.ts";
import { Lab, type LabPorts, PAYLOAD_BYTES } from "./lab.ts";
import { type Measurement, measurementOf } from "./measurement.ts";

const ACTIVE_CHANNELS = 100;
const FAN_OUT = 2;
const PUBLISHERS = 10;
const OUTSTANDING = 64;
const IDLE_SOURCES = 4;
/** The cost does not grow; this much is noise. */
const TARGET_RATIO = 1.1;

/** What a message costs while more and more connections and channels have nothing to do with it. */
export const SCALING: Behaviour = {
  name: "scaling",
  title: "100 channels × 2 subscribers beside idle connections with a channel each",
  run: measureScaling,
};

async function measureScaling(ports: LabPorts): Promise<BehaviourResult> {
  const [few, many] = ports.sizes.scaling;
  const withFew = await costBeside(few, ports);
  const withMany = await costBeside(many, ports);
  return {
    figures: [
      { label: `a message beside ${few}`, value: withFew.cost, unit: "µs" },
      { label: `a message beside ${many}`, value: withMany.cost, unit: "µs" },
      { label: "ratio", value: withMany.cost / withFew.cost, unit: "ratio", target: TARGET_RATIO },
    ],
    faults: [...withFew.faults, ...withMany.faults],
  };
}

async function costBeside(idle: number, ports: LabPorts): Promise<Measurement> {
  await using lab = await Lab.start("pm", ports);
  const generator = lab.generator({ payloadBytes: PAYLOAD_BYTES });
  await generator.open({ role: "subscriber", count: FAN_OUT * ACTIVE_CHANNELS, channels: ACTIVE_CHANNELS });
  await generator.open({ role: "publisher", count: PUBLISHERS });
  await generator.open({
    role: "subscriber",
    count: idle,
    channels: idle,
    firstChannel: ACTIVE_CHANNELS,
    sources: IDLE_SOURCES,
  });
  const sample = await generator.load.publish({
    ...ports.sizes.window,
    channels: ACTIVE_CHANNELS,
    fanOut: FAN_OUT,
    pace: { kind: "outstanding", count: OUTSTANDING },
    sampleEvery: 1,
  });
  lab.server.assertAlive();
  return measurementOf(sample);
}
