import { type ChannelName, channelKind, type ChannelRef, TENANT_CHANNEL, USER_CHANNEL } from "@pm/core";
import type { Retention } from "./log/channel-log.ts";
import { DEFAULT_RETENTION } from "./log/memory-broker.ts";

/**
 * What happens to a reader that cannot keep up: `recover` reads the log forward when it can, `latest` goes on with the
 * newest publication, `disconnect` closes it with 4008.
 */
export type LagPolicy = "recover" | "latest" | "disconnect";

/** Which clients may publish; grants are checked beside it. Backends always may. */
export type ClientPublish = "allow" | "deny" | { readonly roles: readonly string[] };

/** Settings of the channels of one kind. */
export interface ChannelKindOptions {
  /**
   * Publications retained.
   * @default 1000
   */
  readonly retainedCount?: number | undefined;
  /**
   * Bytes retained.
   * @default 1_048_576
   */
  readonly retainedBytes?: number | undefined;
  /**
   * Seconds for which a publication is retained.
   * @default 300
   */
  readonly retainedSecs?: number | undefined;
  /** @default "allow", and "deny" for the reserved channels `tenant` and `user` */
  readonly clientPublish?: ClientPublish | undefined;
  /** @default "recover" */
  readonly lagPolicy?: LagPolicy | undefined;
  /**
   * Milliseconds for which publications wait for others before they are delivered together.
   * @default 0
   */
  readonly flushDelayMs?: number | undefined;
}

/** The resolved settings of a kind. */
export interface ChannelKind {
  readonly name: string;
  readonly retention: Retention;
  readonly clientPublish: ClientPublish;
  readonly lagPolicy: LagPolicy;
  readonly flushDelayMs: number;
}

/** Settings by kind, with those of every kind that has none of its own. */
export interface ChannelKindsOptions {
  readonly defaults?: ChannelKindOptions | undefined;
  readonly kinds?: Readonly<Record<string, ChannelKindOptions>> | undefined;
}

/** Knows the settings of every channel. */
export class ChannelKinds {
  readonly #byName = new Map<string, ChannelKind>();
  /** By the whole name: `user:42` is a channel like any other. */
  readonly #reserved = new Map<ChannelName, ChannelKind>();
  readonly #fallback: ChannelKind;

  /** @throws RangeError for a number below its least value */
  constructor(options: ChannelKindsOptions = {}) {
    const defaults = options.defaults ?? {};
    this.#fallback = resolveKind("", defaults);
    const kinds = options.kinds ?? {};
    for (const [name, kind] of Object.entries(kinds)) {
      this.#byName.set(name, resolveKind(name, { ...defaults, ...kind }));
    }
    for (const name of [TENANT_CHANNEL, USER_CHANNEL]) {
      this.#reserved.set(name, resolveKind(name, { ...defaults, clientPublish: "deny", ...kinds[name] }));
    }
  }

  of(channel: ChannelName): ChannelKind {
    const reserved = this.#reserved.get(channel);
    if (reserved !== undefined || this.#byName.size === 0) return reserved ?? this.#fallback;
    return this.#byName.get(channelKind(channel)) ?? this.#fallback;
  }

  /** The retention of a channel, in the form a broker takes. */
  readonly retentionOf = (channel: ChannelRef): Retention => this.of(channel.name).retention;
}

function resolveKind(name: string, options: ChannelKindOptions): ChannelKind {
  const atLeast = (field: keyof ChannelKindOptions, least: number, value: number): number => {
    if (Number.isFinite(value) && value >= least) return value;
    throw new RangeError(`channel kind ${JSON.stringify(name)}: ${field} is ${value} (at least ${least})`);
  };
  return {
    name,
    retention: {
      count: atLeast("retainedCount", 1, options.retainedCount ?? DEFAULT_RETENTION.count),
      bytes: atLeast("retainedBytes", 0, options.retainedBytes ?? DEFAULT_RETENTION.bytes),
      ageMs: atLeast("retainedSecs", 0, options.retainedSecs ?? DEFAULT_RETENTION.ageMs / 1000) * 1000,
    },
    clientPublish: options.clientPublish ?? "allow",
    lagPolicy: options.lagPolicy ?? "recover",
    flushDelayMs: atLeast("flushDelayMs", 0, options.flushDelayMs ?? 0),
  };
}
