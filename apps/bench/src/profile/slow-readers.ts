import type { PublishPlan } from "../generator/generator-protocol.ts";
import { LinuxProcessMeter } from "../process/process-meter.ts";
import { seriesValue } from "../process/prometheus-text.ts";
import type { Behaviour, BehaviourResult } from "./behaviour.ts";
import { Lab, type LabPorts } from "./lab.ts";
import { faultsOf } from "./measurement.ts";

const PAYLOAD_BYTES = 2048;
const PER_SEC = 100;
/** Publications under way while buffers are filled. */
const OUTSTANDING = 64;
/** Of the subscribers, those who stop reading. */
const STALLED_SHARE = 0.2;
const TARGET_RATIO = 1.2;
/** What a stalled connection may hold: its high-water mark, and the run that went over it. */
const STALLED_KIB = 128;
const MIB = 1024 ** 2;

/** The other readers' delivery, and the memory of the server, while some readers are stalled. */
export const SLOW_READERS: Behaviour = {
  name: "slow-readers",
  title: "200 of 1000 subscribers stop reading under 100 messages/s of 2 kB",
  run: measureSlowReaders,
};

async function measureSlowReaders(ports: LabPorts): Promise<BehaviourResult> {
  await using lab = await Lab.start("pm", ports, { collectsGarbage: true });
  const { subscribers, window, fillSecs, slowReaders } = ports.sizes;
  const stalled = Math.round(subscribers * STALLED_SHARE);
  const generator = lab.generator({ payloadBytes: PAYLOAD_BYTES });
  await generator.open({ role: "subscriber", count: subscribers });
  await generator.open({ role: "publisher", count: 1 });
  const meter = new LinuxProcessMeter(lab.server.pid);
  const heldBytes = async (): Promise<number> => {
    await lab.server.collectGarbage();
    return meter.residentBytes();
  };

  const before = await generator.load.publish(publishPlan(fillSecs, slowReaders.secs, subscribers));
  const beforeBytes = await heldBytes();
  await generator.load.stall(stalled);
  await generator.load.publish(fillPlan(slowReaders.stallSecs, subscribers - stalled));
  const after = await generator.load.publish(publishPlan(window.warmSecs, slowReaders.secs, subscribers));
  const afterBytes = await heldBytes();
  const metrics = await lab.server.metrics();
  lab.server.assertAlive();
  const ratio = after.latency.p99Us / before.latency.p99Us;
  return {
    figures: [
      { label: "p99 while all read", value: before.latency.p99Us / 1000, unit: "ms" },
      { label: "p99 of the others", value: after.latency.p99Us / 1000, unit: "ms" },
      { label: "ratio", value: ratio, unit: "ratio", target: TARGET_RATIO },
      {
        label: "memory grown by",
        value: (afterBytes - beforeBytes) / MIB,
        unit: "MiB",
        target: (stalled * STALLED_KIB) / 1024,
      },
      { label: "behind at the end", value: seriesValue(metrics, "pm_ws_lagging_connections"), unit: "connections" },
      {
        label: "closed as too slow",
        value: seriesValue(metrics, 'pm_ws_connections_closed_total{code="4008"}'),
        unit: "connections",
      },
    ],
    // Stalled connections may be closed as too slow: that is no fault.
    faults: [...faultsOf(before), ...faultsOf({ ...after, closed: 0 })],
  };
}

/** As much as the server sends to those who read. */
function fillPlan(secs: number, fanOut: number): PublishPlan {
  return { warmSecs: 0, secs, channels: 1, fanOut, pace: { kind: "outstanding", count: OUTSTANDING }, sampleEvery: 0 };
}

function publishPlan(warmSecs: number, secs: number, fanOut: number): PublishPlan {
  return { warmSecs, secs, channels: 1, fanOut, pace: { kind: "rate", perSec: PER_SEC }, sampleEvery: 1 };
}
