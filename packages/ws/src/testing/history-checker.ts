import { channelKey, type ChannelRef } from "@pm/core";
import type {
  EntryEvent,
  HistoryEvent,
  LaggedEvent,
  PublicationEvent,
  PublishedEvent,
  PublishingEvent,
  SubscribedEvent,
} from "./history.ts";
import { LogTruth, type Sighting } from "./log-truth.ts";
import { currentPositionFault, type Fault, ReaderView, subscribedFault } from "./reader-view.ts";
import type { Violation } from "./violation.ts";

/** How much a checker remembers. */
export interface HistoryCheckerOptions {
  /**
   * Publications of a log, and payloads times 64, that are remembered; what is older is not compared any more.
   * @default all
   */
  readonly remember?: number | undefined;
}

type ReaderEvent = Exclude<HistoryEvent, { kind: "tail-lost" | "entry" }>;

const TRAIL = 40;
const PAYLOADS_PER_LOG = 64;

/**
 * Holds recorded histories against the promise: for each subscription a client sees the offsets of one epoch,
 * consecutive and increasing, or is told by Lagged or `recovered = false`; an acknowledged publication comes to all who
 * are to have it; nothing crosses tenants or channels. It believes nobody: what the clients saw is compared with each
 * other.
 */
export class HistoryChecker {
  /** Everything that was found. */
  readonly violations: Violation[] = [];
  readonly #remember: number;
  readonly #logs = new Map<string, LogTruth>();
  readonly #payloads = new Map<string, { readonly owner: string; readonly askedAt: number }>();
  readonly #views = new Map<string, Map<string, ReaderView>>();
  readonly #trails = new Map<string, HistoryEvent[]>();
  #forgotPayloads = false;
  #now = 0;

  constructor(options: HistoryCheckerOptions = {}) {
    this.#remember = options.remember ?? Number.POSITIVE_INFINITY;
  }

  /** Takes the next event. Events of one client come in their order; a publishing comes before its deliveries. */
  readonly record = (event: HistoryEvent): void => {
    if (event.kind === "tail-lost") {
      this.#truth(event.log).loseTail(event.epoch);
      return;
    }
    if (event.kind === "entry") {
      this.#entry(event);
      return;
    }
    this.#now++;
    this.#remind(event);
    switch (event.kind) {
      case "connected":
      case "disconnected":
        this.#views.delete(event.reader);
        break;
      case "unsubscribed":
        this.#views.get(event.reader)?.delete(channelKey(event.log));
        break;
      case "publishing":
        this.#own(event);
        break;
      case "published":
        this.#published(event);
        break;
      case "subscribed":
        this.#subscribed(event);
        break;
      case "publication":
        this.#publication(event);
        break;
      case "lagged":
        this.#lagged(event);
        break;
      default:
        event satisfies never;
    }
  };

  /** Where a subscription of a client is, by what it was sent; undefined when it has none. */
  positionOf(reader: string, log: ChannelRef): ReaderView["position"] | undefined {
    return this.#views.get(reader)?.get(channelKey(log))?.position;
  }

  /** To be called when nothing is on its way any more: every subscription has to be at the end of its log. */
  settle(): readonly Violation[] {
    for (const [reader, views] of this.#views) {
      for (const [key, view] of views) {
        const lost = this.#logs.get(key)?.lostBehind(view.position, view.inEpochSince);
        if (lost !== undefined) this.#report(reader, { kind: "lost", message: `${printable(key)}: ${lost}` });
      }
    }
    return this.violations;
  }

  #entry(event: EntryEvent): void {
    const message = this.#truth(event.log).note(event);
    if (message !== undefined) this.#report("the log", { kind: "forked", message }, event.log);
  }

  #own({ payloadId, log }: PublishingEvent): void {
    if (this.#payloads.has(payloadId)) return;
    this.#payloads.set(payloadId, { owner: channelKey(log), askedAt: this.#now });
    for (const oldest of this.#payloads.keys()) {
      if (this.#payloads.size <= this.#remember * PAYLOADS_PER_LOG) break;
      this.#payloads.delete(oldest);
      this.#forgotPayloads = true;
    }
  }

  #published(event: PublishedEvent): void {
    const { reader, position, payloadId, messageId } = event;
    const sighting = { ...position, payloadId, messageId };
    this.#note(event, sighting);
    this.#truth(event.log).acknowledge(sighting, this.#payloads.get(payloadId)?.askedAt ?? 0);
    if (position.check === 0) this.#report(reader, { kind: "forked", message: "an acknowledged position has no tag" });
  }

  #subscribed(event: SubscribedEvent): void {
    const { reader, log, since, position } = event;
    const views = this.#views.get(reader) ?? new Map<string, ReaderView>();
    this.#views.set(reader, views);
    const existing = views.get(channelKey(log));
    const fault =
      existing !== undefined && since === undefined ? currentPositionFault(existing, event) : subscribedFault(event);
    if (fault !== undefined) this.#report(reader, fault, log);
    if (event.recovered && since !== undefined && this.#truth(log).contradicts(since)) {
      this.#report(
        reader,
        { kind: "recovery", message: `recovered, and the tag ${since.check} is not the log's` },
        log,
      );
    }
    views.set(channelKey(log), new ReaderView(position, this.#now));
    this.#note(event, position);
    this.#note(event, event.top);
  }

  #publication(event: PublicationEvent): void {
    const { reader, log, payloadId, messageId, offset, check } = event;
    this.#checkOwner(event);
    const view = this.#views.get(reader)?.get(channelKey(log));
    if (view === undefined) {
      this.#report(reader, { kind: "unasked", message: `${offset} came without a subscription` }, log);
      return;
    }
    const before = view.position;
    const fault = view.take(event);
    if (fault !== undefined) this.#report(reader, fault, log);
    const prevCheck = fault === undefined && before.check !== 0 ? before.check : undefined;
    const sighting = { epoch: before.epoch, offset, check, payloadId, messageId, prevCheck };
    this.#note(event, sighting);
    const first = this.#truth(log).offsetOfPayload(sighting);
    if (first === undefined) return;
    this.#report(reader, { kind: "duplicated", message: `payload ${payloadId} is at ${first} and at ${offset}` }, log);
  }

  #lagged(event: LaggedEvent): void {
    const view = this.#views.get(event.reader)?.get(channelKey(event.log));
    const fault: Fault | undefined =
      view === undefined ? { kind: "unasked", message: "Lagged without a subscription" } : view.lag(event, this.#now);
    if (fault !== undefined) this.#report(event.reader, fault, event.log);
    this.#note(event, event.position);
  }

  #checkOwner({ reader, log, payloadId }: PublicationEvent): void {
    const owner = this.#payloads.get(payloadId)?.owner;
    if (owner === channelKey(log) || (owner === undefined && this.#forgotPayloads)) return;
    const whose = owner === undefined ? "nobody" : printable(owner);
    this.#report(reader, { kind: "foreign", message: `payload ${payloadId} is of ${whose}` }, log);
  }

  #note(event: ReaderEvent & { readonly log: ChannelRef }, sighting: Sighting): void {
    const message = this.#truth(event.log).note(sighting);
    if (message !== undefined) this.#report(event.reader, { kind: "forked", message }, event.log);
  }

  #truth(log: ChannelRef): LogTruth {
    const key = channelKey(log);
    let truth = this.#logs.get(key);
    if (truth === undefined) {
      truth = new LogTruth(this.#remember);
      this.#logs.set(key, truth);
    }
    return truth;
  }

  #remind(event: ReaderEvent): void {
    const trail = this.#trails.get(event.reader);
    if (trail === undefined) this.#trails.set(event.reader, [event]);
    else if (trail.push(event) > 2 * TRAIL) trail.splice(0, TRAIL);
  }

  #report(reader: string, { kind, message }: Fault, log?: ChannelRef): void {
    const where = log === undefined ? "" : `${printable(channelKey(log))}: `;
    const trail = (this.#trails.get(reader) ?? []).slice(-TRAIL);
    this.violations.push({ kind, reader, message: `${where}${message}`, trail });
  }
}

function printable(key: string): string {
  return key.replaceAll("\0", "!");
}
