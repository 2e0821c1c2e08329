import type { ChannelRef, TenantId } from "@pm/core";
import type {
  AppendResult,
  Awaitable,
  Broker,
  BrokerListener,
  LogPage,
  PublicationDraft,
  ReadRequest,
} from "../../src/index.ts";

/** Does something at exact moments between a server and its broker. */
export class InterposedBroker implements Broker {
  /** Before a read; what it awaits, the read waits for. */
  beforeRead: (request: ReadRequest) => Promise<void> = async () => undefined;
  /** Between a read and what is done with its page. */
  afterRead: (request: ReadRequest) => Promise<void> = async () => undefined;
  readonly #broker: Broker;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  get memoryBytes(): number {
    return this.#broker.memoryBytes;
  }

  append(channel: ChannelRef, draft: PublicationDraft): Awaitable<AppendResult> {
    return this.#broker.append(channel, draft);
  }

  async read(channel: ChannelRef, request: ReadRequest): Promise<LogPage> {
    await this.beforeRead(request);
    const page = await this.#broker.read(channel, request);
    await this.afterRead(request);
    return page;
  }

  subscribe(channel: ChannelRef, listener: BrokerListener): Promise<void> {
    return this.#broker.subscribe(channel, listener);
  }

  unsubscribe(channel: ChannelRef, listener: BrokerListener): Promise<void> {
    return this.#broker.unsubscribe(channel, listener);
  }

  renew(channel: ChannelRef, staleEpoch: string): Promise<void> {
    return this.#broker.renew(channel, staleEpoch);
  }

  forget(tenant: TenantId): Promise<void> {
    return this.#broker.forget(tenant);
  }

  close(): Promise<void> {
    return this.#broker.close();
  }
}
