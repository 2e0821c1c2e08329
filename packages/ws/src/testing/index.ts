// For authors of adapters.
export { describeBroker } from "./describe-broker.ts";
export type { BrokerFactory, BrokerSetup } from "./broker-contract/broker-fixture.ts";
export type { HostileBrokerOptions } from "./hostile-broker.ts";
export { HostileBroker } from "./hostile-broker.ts";
export type { BrokerFaults } from "./broker-faults.ts";
export { NO_FAULTS } from "./broker-faults.ts";
export { SeededRandom } from "./seeded-random.ts";

// For tests of delivery from the outside.
export type { HistoryRequest, PublishDetails, RecordingClientOptions } from "./recording-client.ts";
export type { AcceptedPublication, SubscribeFrom } from "./client-record.ts";
export type { ProtocolRequest, RequestBody } from "./protocol-socket.ts";
export { RecordingClient } from "./recording-client.ts";
export { DisconnectedError, RefusedError } from "./client-error.ts";
export { ChannelCursor } from "./channel-cursor.ts";
export type { TurmoilClient, TurmoilCounts, TurmoilOptions } from "./turmoil.ts";
export { Turmoil } from "./turmoil.ts";
export type { HistoryEvent } from "./history.ts";
export type { HistoryCheckerOptions } from "./history-checker.ts";
export { HistoryChecker } from "./history-checker.ts";
export type { Violation, ViolationKind } from "./violation.ts";
export { printViolation } from "./print-violation.ts";
export type { PayloadShape } from "./payload-id.ts";
export { payloadId, payloadWithId } from "./payload-id.ts";
