import { type ChannelRef, parseChannelName, parseTenantId, USER_CHANNEL } from "@pm/core";
import type { ManualClock } from "@pm/core/testing";
import { onTestFinished } from "vitest";
import type {
  AppendResult,
  Broker,
  BrokerListener,
  LogEntry,
  LogPage,
  PublicationDraft,
  ReadRequest,
} from "../../log/broker.ts";
import type { Retention } from "../../log/channel-log.ts";

/** What a broker under test is made with. */
export interface BrokerSetup {
  /** The clock of publication times, retention by age and idempotency windows. */
  readonly clock: ManualClock;
  /** The retention of every channel. */
  readonly retention: Retention;
}

/** Makes an empty broker. The contract closes it. */
export type BrokerFactory = (setup: BrokerSetup) => Promise<Broker>;

/** A broker under test and its clock. */
export interface BrokerFixture {
  readonly broker: Broker;
  readonly clock: ManualClock;
}

/** Makes the broker of one test. */
export type StartBroker = (retention?: Partial<Retention>) => Promise<BrokerFixture>;

/** Every part of a log. */
export const WHOLE: ReadRequest = {
  from: 0,
  direction: "forward",
  maxCount: Number.MAX_SAFE_INTEGER,
  maxBytes: Number.MAX_SAFE_INTEGER,
};

/** Has the broker closed when the test ends. */
export function closeAfterTest(broker: Broker): Broker {
  onTestFinished(() => broker.close());
  return broker;
}

export function channelRef(name = "room:1", tenant = "t1"): ChannelRef {
  return { tenant: parseTenantId(tenant), name: parseChannelName(name) };
}

export function userRef(user: string, tenant = "t1"): ChannelRef {
  return { tenant: parseTenantId(tenant), name: USER_CHANNEL, user };
}

/** A draft with this JSON text. */
export function draft(json: string, fields: Partial<PublicationDraft> = {}): PublicationDraft {
  return {
    payload: { kind: "json", json },
    event: "",
    publisher: "u1",
    traceParent: "",
    idempotencyKey: "",
    ...fields,
  };
}

/** Appends JSON texts one after the other. */
export async function appendEach(
  broker: Broker,
  channel: ChannelRef,
  texts: readonly string[],
): Promise<AppendResult[]> {
  const results: AppendResult[] = [];
  for (const text of texts) results.push(await broker.append(channel, draft(text)));
  return results;
}

/** JSON texts "1" to "n". */
export function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index + 1));
}

export function offsetsOf(page: LogPage): number[] {
  return page.entries.map(({ offset }) => offset);
}

/** Keeps what a broker tells. */
export class HeardNotices implements BrokerListener {
  readonly entries: { readonly epoch: string; readonly entry: LogEntry }[] = [];
  interruptions = 0;

  get offsets(): number[] {
    return this.entries.map(({ entry }) => entry.offset);
  }

  get calls(): number {
    return this.entries.length + this.interruptions;
  }

  onEntry(epoch: string, entry: LogEntry): void {
    this.entries.push({ epoch, entry });
  }

  onInterrupted(): void {
    this.interruptions++;
  }
}
