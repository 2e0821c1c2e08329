import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { HistoryChecker, type HistoryEvent, type RecordingClient } from "@pm/ws/testing";
import { type ClientListeners, connectClients } from "./load-clients.ts";
import { countViolations, LoadLedger } from "./load-ledger.ts";
import type { LoadOptions } from "./load-options.ts";
import type { LoadResults } from "./load-results.ts";

/** Publications of a log that are compared with each other; what is older has been. */
const REMEMBERED = 20_000;
const TICK_MS = 2;
/** The most that is published at once when the pace could not be kept. */
const MAX_BURST = 200;
const SILENCE_MS = 1_000;
const SETTLE_MS = 15_000;
const RECONNECT_MIN_MS = 50;
const RECONNECT_SPREAD_MS = 450;

/** A load test: clients of one deployment, what they do, and what they saw. */
export class LoadTest implements AsyncDisposable {
  readonly ledger: LoadLedger = new LoadLedger();
  readonly #options: LoadOptions;
  readonly #checker = new HistoryChecker({ remember: REMEMBERED });
  readonly #startedAt = new Date().toISOString();
  readonly #channels: readonly string[];
  readonly #clients: RecordingClient[] = [];
  readonly #beingCut = new Set<string>();
  readonly #pending = new Set<Promise<void>>();
  #readers: readonly RecordingClient[] = [];
  #publishers: readonly RecordingClient[] = [];
  #cuts = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    // Channels of an earlier test still have their logs.
    const test = randomBytes(4).toString("hex");
    this.#channels = Array.from({ length: options.channels }, (_, n) => `load:${test}:${n}`);
  }

  /** Connects everybody. @throws DisconnectedError, RefusedError when somebody cannot */
  async connect(): Promise<void> {
    const { subscribers, publishers, idle } = this.#options;
    const record = { record: this.#record };
    const reading: ClientListeners = { ...record, onAccepted: this.ledger.accepted };
    const ready = (client: RecordingClient, n: number): Promise<unknown> => client.subscribe(this.#channelOf(n));
    this.#readers = await this.#add({ role: "reader", count: subscribers, listeners: reading, ready });
    this.#publishers = await this.#add({ role: "publisher", count: publishers, listeners: record });
    await this.#add({ role: "idle", count: idle, listeners: record });
    for (const client of this.#clients) client.stayConnected(reconnectDelayMs);
  }

  /**
   * Publishes, and cuts readers off, until the time is over or the signal aborts; then waits for what is on its way.
   */
  async run(signal: AbortSignal): Promise<LoadResults> {
    const { durationSecs, ratePerSec, cutsPerSec } = this.#options;
    const startMs = performance.now();
    const startUtilization = performance.eventLoopUtilization();
    this.ledger.begin(startMs);
    let elapsedSecs = 0;
    while (elapsedSecs < durationSecs && !signal.aborted) {
      const due = Math.floor(elapsedSecs * ratePerSec) - this.ledger.sent;
      for (let i = 0; i < Math.min(due, MAX_BURST); i++) this.#publish();
      while (this.#cuts < Math.floor(elapsedSecs * cutsPerSec)) this.#cut();
      await delay(TICK_MS);
      elapsedSecs = (performance.now() - startMs) / 1000;
    }
    const toolBusy = performance.eventLoopUtilization(startUtilization).utilization;
    await this.#settle();
    return this.#results({ seconds: elapsedSecs, toolBusy });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client[Symbol.asyncDispose]()));
  }

  readonly #record = (event: HistoryEvent): void => {
    this.#checker.record(event);
    if (event.kind === "disconnected" && !this.#beingCut.delete(event.reader)) this.ledger.closed(event.code);
  };

  async #add(request: Parameters<typeof connectClients>[1]): Promise<RecordingClient[]> {
    const clients = await connectClients(this.#options, request);
    this.#clients.push(...clients);
    return clients;
  }

  #channelOf(n: number): string {
    return this.#channels[n % this.#channels.length] ?? "";
  }

  #publish(): void {
    const { sent } = this.ledger;
    const publisher = this.#publishers[sent % this.#publishers.length];
    if (publisher === undefined) return;
    const payloadId = this.ledger.publishing(performance.now());
    const publishing = this.#publishVia(publisher, { channel: sent % this.#channels.length, payloadId });
    this.#pending.add(publishing);
    void publishing.finally(() => this.#pending.delete(publishing));
  }

  async #publishVia(publisher: RecordingClient, { channel, payloadId }: NextPublication): Promise<void> {
    const { payloadBytes: bytes, subscribers, channels } = this.#options;
    try {
      await publisher.publish(this.#channelOf(channel), payloadId, { bytes });
      this.ledger.published(payloadId, Math.floor((subscribers - 1 - channel + channels) / channels));
    } catch (error) {
      this.ledger.failed(error);
    }
  }

  #cut(): void {
    this.#cuts++;
    const reader = this.#readers[Math.floor(Math.random() * this.#readers.length)];
    if (reader?.isConnected !== true) return;
    this.#beingCut.add(reader.name);
    void reader.cut();
  }

  /** Until everybody is back, every publication has its answer, and nothing has come for a second. */
  async #settle(): Promise<void> {
    const deadlineMs = performance.now() + SETTLE_MS;
    let { delivered } = this.ledger;
    do {
      delivered = this.ledger.delivered;
      await delay(SILENCE_MS);
    } while (performance.now() < deadlineMs && (this.ledger.delivered !== delivered || !this.#isAtRest()));
  }

  #isAtRest(): boolean {
    return this.#pending.size === 0 && this.#readers.every(({ isConnected }) => isConnected);
  }

  #results(measured: { readonly seconds: number; readonly toolBusy: number }): LoadResults {
    const { url, subscribers, publishers, idle, channels, ratePerSec, payloadBytes, cutsPerSec } = this.#options;
    const { ledger } = this;
    return {
      startedAt: this.#startedAt,
      url,
      settings: { subscribers, publishers, idle, channels, ratePerSec, payloadBytes, cutsPerSec },
      ...measured,
      published: ledger.publishedCounts,
      delivered: ledger.delivered,
      expected: ledger.expected,
      delivery: ledger.delivery.summary(),
      acknowledgement: ledger.acknowledgement.summary(),
      percentiles: ledger.percentiles(),
      // The last second is not a whole one, and what comes after it is only waited for.
      series: ledger.series.points().slice(0, Math.max(1, Math.floor(measured.seconds))),
      cuts: this.#cuts,
      closes: ledger.closes,
      ...countViolations(this.#checker.settle()),
    };
  }
}

interface NextPublication {
  readonly channel: number;
  readonly payloadId: string;
}

function reconnectDelayMs(): number {
  return RECONNECT_MIN_MS + Math.random() * RECONNECT_SPREAD_MS;
}
