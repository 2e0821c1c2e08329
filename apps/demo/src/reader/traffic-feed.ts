import type { Channel, Publication } from "@pm/client";
import type { LatencyPoint, ReaderReport } from "./reader-protocol.ts";

/** The event of the publications whose latency is drawn. */
const PULSE = "pulse";
/** Milliseconds between two reports: a flood would drown the page in messages. */
const REPORT_MS = 100;

/** The other channel of a tenant: the server's pulse, by which latency is measured, and floods. */
export class TrafficFeed {
  readonly #channel: Channel;
  readonly #report: (report: ReaderReport) => void;
  #received = 0;
  #latencies: LatencyPoint[] = [];
  #isReportDue = false;

  constructor(channel: Channel, report: (report: ReaderReport) => void) {
    this.#channel = channel;
    this.#report = report;
  }

  async start(): Promise<void> {
    this.#channel.on("publication", (publication) => this.#onPublication(publication));
    for (const miss of ["missed", "lagged"] as const) this.#channel.on(miss, () => this.#reportSoon());
    await this.#channel.subscribe();
    this.#reportSoon();
  }

  #onPublication({ event, publishedAtMs }: Publication): void {
    this.#received++;
    if (event === PULSE) {
      this.#latencies.push({ publishedAtMs, latencyMs: Math.max(0, Date.now() - publishedAtMs) });
    }
    this.#reportSoon();
  }

  #reportSoon(): void {
    if (this.#isReportDue) return;
    this.#isReportDue = true;
    setTimeout(() => {
      this.#isReportDue = false;
      const latencies = this.#latencies;
      this.#latencies = [];
      this.#report({ kind: "traffic", received: this.#received, position: this.#channel.position, latencies });
    }, REPORT_MS);
  }
}
