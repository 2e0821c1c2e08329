export { ManualClock } from "./manual-clock.ts";
export type { LogLine } from "./recording-logger.ts";
export { RecordingLogger } from "./recording-logger.ts";
