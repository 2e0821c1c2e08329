import { assertChannelName } from "./argument-checks.ts";
import { Channel } from "./channel/channel.ts";
import { assertSubscribeOptions, type SubscribeOptions } from "./channel/subscribe-options.ts";
import { type PmClientOptions, type ResolvedClientOptions, resolveClientOptions } from "./client-options.ts";
import type { ClientState } from "./client-state.ts";
import { Emitter, type Unlisten } from "./emitter.ts";
import { anything, type PayloadType } from "./payload/payload-type.ts";
import { PmClientError } from "./pm-client-error.ts";
import { Session } from "./session.ts";

/** What a client tells beside what its channels tell. */
export interface ClientEvents {
  readonly state: ClientState;
  /** `getToken` failed, or the server refused to take its token into use. It is tried again. */
  readonly tokenError: PmClientError;
  /** Something went wrong that no call was waiting for. The client goes on. */
  readonly error: PmClientError;
}

/** What a channel is told when it is first asked for. */
export interface ChannelOptions<Data, Input = Data> extends SubscribeOptions {
  /**
   * What its publications carry.
   * @default `anything`
   */
  readonly payload?: PayloadType<Data, Input> | undefined;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: PmClientError) => void;
}

/**
 * A client of pm: one connection at a time, kept up by the rules of pm.v1, and the channels over it. Runs in browsers,
 * and in Node from 22 on.
 */
export class PmClient implements AsyncDisposable {
  readonly #options: ResolvedClientOptions;
  readonly #session: Session;
  readonly #emitter = new Emitter<ClientEvents>();
  readonly #channels = new Map<string, { readonly channel: unknown; readonly payload: unknown }>();
  #waiters: Waiter[] = [];

  /** @throws PmClientError `INVALID_ARGUMENT` for an option out of its range */
  constructor(options: PmClientOptions) {
    this.#options = resolveClientOptions(options);
    this.#session = new Session(this.#options, {
      onEnded: (error) => {
        for (const { reject } of this.#waiters.splice(0)) reject(error);
      },
      onState: (state) => this.#onState(state),
      onTokenError: (error) => this.#emitter.emit("tokenError", error),
      onError: (error) => this.#emitter.emit("error", error),
    });
  }

  get state(): ClientState {
    return this.#session.state;
  }

  /** Calls `listener` at each event of this name. The returned function ends that. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): Unlisten {
    return this.#emitter.on(name, listener);
  }

  /**
   * Connects, and stays connected until `close`. Resolves with the first connection, however long that takes.
   * @throws PmClientError when the server or `getToken` ends it for good, `CLOSED` when it is closed before
   */
  connect(): Promise<void> {
    if (this.state.kind === "connected") return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#session.start();
    });
  }

  /**
   * Ends the connection and leaves all channels. Publishes without an answer are rejected. `connect` begins again; the
   * channels then have to be subscribed to anew.
   */
  close(): Promise<void> {
    this.#session.stop();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A channel. The same name is the same object; its options count when it is first asked for. */
  channel(name: string, options?: SubscribeOptions & { readonly payload?: undefined }): Channel;
  /**
   * A channel whose publications have a type.
   * @throws PmClientError `INVALID_ARGUMENT` for a name outside the grammar, or for another type than before
   */
  channel<Data, Input = Data>(name: string, options: ChannelOptions<Data, Input>): Channel<Data, Input>;
  channel(name: string, options: ChannelOptions<unknown, never> = {}): Channel<unknown, never> {
    assertChannelName(name);
    const known = this.#channels.get(name);
    if (known !== undefined) {
      if (options.payload === undefined || options.payload === known.payload) return known.channel as Channel;
      throw PmClientError.invalidArgument("payload", `of ${name} is another one than before`);
    }
    const { payload = anything, since, rewind } = options;
    assertSubscribeOptions(options);
    const { maxQueuedPublications: maxQueued, random } = this.#options;
    const init = { type: payload, start: { since, rewind }, maxQueued, newKey: () => random.id() };
    const channel = new Channel<unknown, never>(name, init, this.#session);
    this.#channels.set(name, { channel, payload });
    return channel;
  }

  #onState(state: ClientState): void {
    if (state.kind === "connected") for (const { resolve } of this.#waiters.splice(0)) resolve();
    this.#emitter.emit("state", state);
  }
}
