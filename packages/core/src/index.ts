// For applications.
export type { Clock, CancelTimer } from "./clock.ts";
export { sleep } from "./clock.ts";
export { systemClock } from "./system-clock.ts";
export { TurnClock } from "./turn-clock.ts";
export type { Logger, LogFields } from "./logger.ts";
export { silentLogger } from "./logger.ts";
export type { TenantId } from "./tenant-id.ts";
export { isTenantId, parseTenantId } from "./tenant-id.ts";
export type { ChannelName, ChannelRef } from "./channel.ts";
export {
  TENANT_CHANNEL,
  USER_CHANNEL,
  channelKey,
  channelKind,
  isChannelName,
  nameInTenant,
  parseChannelName,
} from "./channel.ts";
export type { Grant, GrantAction } from "./grant.ts";
export { GRANT_ACTIONS, isGranted, matchesPattern } from "./grant.ts";
export type { TenantContext } from "./tenant-context.ts";
export type { ErrorLocation } from "./error-location.ts";
export type { CodedErrorDetails } from "./coded-error.ts";
export { CodedError } from "./coded-error.ts";
export { NameError } from "./name-error.ts";

// For authors of adapters.
export { parseErrorLocation } from "./error-location.ts";
export type { AbortSignalLike, DrainOptions, Lifecycle } from "./lifecycle.ts";
export type { Randomness } from "./randomness.ts";
export { SystemRandomness, timeOfUuid } from "./randomness.ts";
export { RecencyMap } from "./recency-map.ts";
export { StringCache } from "./string-cache.ts";
