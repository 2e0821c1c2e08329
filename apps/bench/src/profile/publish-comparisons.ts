import type { ServerKind } from "../dialect/dialect.ts";
import type { Comparison } from "./comparison.ts";
import { Lab, type LabPorts, PAYLOAD_BYTES } from "./lab.ts";
import { type Measurement, measurementOf } from "./measurement.ts";
import type { RunSizes } from "./run-sizes.ts";

/** Every n-th delivery is timed: reading the clock for each would keep the generator from its work. */
const SAMPLE_EVERY = 7;

/** Who publishes to whom, and how much is under way. */
interface PublishShape {
  readonly channels: number;
  readonly subscribers: number;
  readonly publishers: number;
  readonly outstanding: number;
}

/** Publications to many, and to few. */
export const PUBLISH_COMPARISONS: readonly Comparison[] = [
  fanOut(1, 0.95),
  fanOut(16, 0.09),
  fanOut(64, 0.045),
  {
    name: "small-channels",
    title: "1000 channels × 2 subscribers, 10 publishers, 256 outstanding",
    unit: "µs CPU a message",
    target: 1,
    run: (kind, ports) => publish(kind, ports, smallChannels(ports.sizes)),
  },
  {
    name: "echo",
    title: "200 connections, each publishes to a channel that it alone reads",
    unit: "µs CPU a message",
    target: 1.1,
    run: echo,
  },
];

function fanOut(outstanding: number, target: number): Comparison {
  return {
    name: `fan-out-${outstanding}`,
    title: `1 publisher → 1000 subscribers, ${outstanding} outstanding`,
    unit: "µs CPU a message",
    target,
    run: (kind, ports) =>
      publish(kind, ports, { channels: 1, subscribers: ports.sizes.subscribers, publishers: 1, outstanding }),
  };
}

function smallChannels({ smallChannels: channels }: RunSizes): PublishShape {
  return { channels, subscribers: 2 * channels, publishers: 10, outstanding: 256 };
}

async function publish(kind: ServerKind, ports: LabPorts, shape: PublishShape): Promise<Measurement> {
  await using lab = await Lab.start(kind, ports);
  const { channels, subscribers, publishers, outstanding } = shape;
  const { window, fillSecs } = ports.sizes;
  const generator = lab.generator({ payloadBytes: PAYLOAD_BYTES });
  await generator.open({ role: "subscriber", count: subscribers, channels });
  await generator.open({ role: "publisher", count: publishers });
  const sample = await generator.load.publish({
    ...window,
    ...(channels > 1 && { warmSecs: fillSecs }),
    channels,
    fanOut: subscribers / channels,
    pace: { kind: "outstanding", count: outstanding },
    sampleEvery: SAMPLE_EVERY,
  });
  lab.server.assertAlive();
  return measurementOf(sample);
}

async function echo(kind: ServerKind, ports: LabPorts): Promise<Measurement> {
  await using lab = await Lab.start(kind, ports);
  const { echoConnections: count, window, fillSecs } = ports.sizes;
  const generator = lab.generator({ payloadBytes: PAYLOAD_BYTES });
  await generator.open({ role: "subscriber", count, channels: count });
  const sample = await generator.load.echo({ ...window, warmSecs: fillSecs });
  lab.server.assertAlive();
  return measurementOf(sample);
}
