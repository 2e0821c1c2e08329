import {
  type ChannelName,
  type ChannelRef,
  type GrantAction,
  isGranted,
  TENANT_CHANNEL,
  type TenantContext,
  USER_CHANNEL,
} from "@pm/core";
import type { ChannelKinds } from "./channel-kinds.ts";
import { WsError } from "./ws-error.ts";

/** What a token without a `channels` claim allows inside the own tenant. */
export type DefaultGrants = "allow" | "deny";

/** Decides who may do what on which channel. */
export class ChannelPolicy {
  readonly #kinds: ChannelKinds;
  readonly #defaultGrants: DefaultGrants;

  constructor(kinds: ChannelKinds, defaultGrants: DefaultGrants) {
    this.#kinds = kinds;
    this.#defaultGrants = defaultGrants;
  }

  may(action: GrantAction, context: TenantContext, channel: ChannelName): boolean {
    if (action === "publish" && !this.#mayClientsPublish(context, channel)) return false;
    if (action !== "publish" && isReserved(channel)) return true;
    if (context.grants === undefined) return this.#defaultGrants === "allow";
    return isGranted(context.grants, action, channel);
  }

  /** @throws WsError `PERMISSION_DENIED` with the channel */
  assertMay(action: GrantAction, context: TenantContext, channel: ChannelName): void {
    if (!this.may(action, context, channel)) {
      throw WsError.permissionDenied(action === "history" ? "read the history of" : action, channel);
    }
  }

  #mayClientsPublish(context: TenantContext, channel: ChannelName): boolean {
    const { clientPublish } = this.#kinds.of(channel);
    if (typeof clientPublish === "string") return clientPublish === "allow";
    return clientPublish.roles.some((role) => context.roles.includes(role));
  }
}

/** The channel that a user means by a name: `user` is the log of that user. */
export function resolveChannel(context: TenantContext, name: ChannelName): ChannelRef {
  return name === USER_CHANNEL
    ? { tenant: context.tenant, name, user: context.user }
    : { tenant: context.tenant, name };
}

function isReserved(channel: ChannelName): boolean {
  return channel === TENANT_CHANNEL || channel === USER_CHANNEL;
}
