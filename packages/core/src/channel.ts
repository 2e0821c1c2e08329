import { NameError } from "./name-error.ts";
import type { TenantId } from "./tenant-id.ts";

/** The name of a channel inside one tenant: 1 to 200 of `A-Z a-z 0-9 _ - = @ , . ; : / +`, case-sensitive. */
export type ChannelName = string & { readonly __brand: "ChannelName" };

/** A channel is never named without its tenant. */
export interface ChannelRef {
  readonly tenant: TenantId;
  readonly name: ChannelName;
  /** Only with the reserved name `user`: whose log it is. */
  readonly user?: string;
}

/** Reserved: the broadcast to a whole tenant, to which every connection is subscribed. */
export const TENANT_CHANNEL: ChannelName = "tenant" as ChannelName;
/** Reserved: the log of the subscriber's own user. */
export const USER_CHANNEL: ChannelName = "user" as ChannelName;

const CHANNEL_NAME = /^[A-Za-z0-9_\-=@,.;:/+]{1,200}$/;

/** True for a string that is a channel name as it stands. */
export function isChannelName(value: unknown): value is ChannelName {
  return typeof value === "string" && value.length <= 200 && CHANNEL_NAME.test(value);
}

/**
 * Takes a string as a channel name.
 * @throws NameError `INVALID_NAME` with field `channel` for anything outside the grammar.
 */
export function parseChannelName(value: unknown): ChannelName {
  if (isChannelName(value)) return value;
  throw NameError.outsideGrammar("channel", value, "1 to 200 of A-Z a-z 0-9 _ - = @ , . ; : / +");
}

/** The part before the first `:`, by which channels are configured; the whole name where there is none. */
export function channelKind(name: ChannelName): string {
  const colon = name.indexOf(":");
  return colon < 0 ? name : name.slice(0, colon);
}

/** One string for one channel, different for different channels: a tenant id has no `/`. */
export function channelKey(channel: ChannelRef): string {
  return `${channel.tenant}/${nameInTenant(channel)}`;
}

/** Tells the channels of one tenant apart: a channel name has no NUL. */
export function nameInTenant({ name, user }: ChannelRef): string {
  return user === undefined ? name : `${name}\0${user}`;
}
