import { ManualClock, RecordingLogger } from "@pm/core/testing";

/** Ports that the test holds in its hand. */
export interface ManualPorts {
  readonly clock: ManualClock;
  readonly logger: RecordingLogger;
}

export function manualPorts(): ManualPorts {
  return { clock: new ManualClock(), logger: new RecordingLogger() };
}
