import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { describeReturn } from "./describe-return.ts";
import { applyCommand } from "../board/apply-command.ts";
import type { Board } from "../board/board.ts";
import { type BoardCommand, type IssuedCommand, parseCommand } from "../board/board-command.ts";
import type { BoardState } from "../board/board-state.ts";
import { describeEntry } from "../board/describe-entry.ts";
import type { DemoTenant } from "../board/tenants.ts";
import type {
  ConnectionView,
  DeliveredEntry,
  InterruptionCounts,
  LatencyPoint,
  ReaderOrder,
  ReaderReport,
} from "../reader/reader-protocol.ts";

/** Where the logs of a tenant end, as the server says. */
export interface LogTops {
  readonly board: number;
  readonly traffic: number;
}

/** One line of what happened. */
export interface Activity {
  readonly offset: number;
  readonly text: string;
  readonly atMs: number;
}

/** Who the page is, and how it reaches the worker of the tenant. */
export interface TenantModelOptions {
  readonly tenant: DemoTenant;
  readonly user: string;
  readonly send: (order: ReaderOrder) => void;
}

interface Pending extends IssuedCommand {
  /** Where it is in the log, once the server has said so. */
  readonly offset: number | undefined;
}

const MAX_ACTIVITIES = 3;
const LATENCY_WINDOW_MS = 60_000;
const NOTICE_MS = 8_000;

/**
 * What the page shows of one tenant. The board is that of the log with the own commands on top that are not in it yet.
 */
export class TenantModel {
  readonly tenant: DemoTenant;
  readonly user: string;
  readonly connection: Signal<ConnectionView> = signal<ConnectionView>({ kind: "idle" });
  readonly state: Signal<BoardState | undefined> = signal<BoardState | undefined>(undefined);
  readonly epoch: Signal<string> = signal("");
  readonly interruptions: Signal<InterruptionCounts> = signal({ recovered: 0, missed: 0, isMissedUncertain: false });
  readonly received: Signal<number> = signal(0);
  readonly receivedPerSec: Signal<number> = signal(0);
  readonly latencies: Signal<readonly LatencyPoint[]> = signal<readonly LatencyPoint[]>([]);
  readonly lag: Signal<number> = signal(0);
  readonly activities: Signal<readonly Activity[]> = signal<readonly Activity[]>([]);
  readonly notice: Signal<string> = signal("");
  /** The card that somebody else changed last. */
  readonly touched: Signal<{ readonly card: string; readonly offset: number } | undefined> = signal(undefined);
  readonly cutUntilMs: Signal<number> = signal(0);
  readonly stalledUntilMs: Signal<number> = signal(0);
  readonly #pending = signal<readonly Pending[]>([]);
  readonly pendingCards: ReadonlySignal<ReadonlySet<string>> = computed(
    () => new Set(this.#pending.value.map(({ command }) => command.card)),
  );
  readonly board: ReadonlySignal<Board> = computed(() =>
    this.#pending.value.reduce(
      (board, { command }) => applyCommand(board, command),
      this.state.value?.board ?? this.tenant.seed,
    ),
  );
  readonly #send: (order: ReaderOrder) => void;
  #trafficOffset = 0;
  #tops: LogTops | undefined;
  #noticeUntilMs = 0;
  /** The counts when the connection was last lost, or the reader last stalled. */
  #beforeTrouble: InterruptionCounts = this.interruptions.value;
  #counted = { received: 0, atMs: 0 };

  constructor({ tenant, user, send }: TenantModelOptions) {
    this.tenant = tenant;
    this.user = user;
    this.#send = send;
  }

  start(): void {
    this.#send({ kind: "start", tenant: this.tenant.id, user: this.user });
  }

  /** Shows a command at once, and publishes it. */
  give(command: BoardCommand): void {
    const issued = { id: crypto.randomUUID(), command };
    this.#pending.value = [...this.#pending.value, { ...issued, offset: undefined }];
    this.#send({ kind: "publish", issued });
  }

  /** Takes the network away from the reader for a while. */
  cut(ms: number, nowMs: number): void {
    this.cutUntilMs.value = nowMs + ms;
    this.#send({ kind: "cut", ms });
    this.say(`The network of ${this.tenant.name} is cut. Moves you make now are sent when it is back.`, nowMs);
  }

  /** Gives it back, and connects at once. */
  mend(): void {
    this.cutUntilMs.value = 0;
    this.#send({ kind: "mend" });
  }

  /** Lets the reader do nothing for a while. */
  stall(ms: number, nowMs: number): void {
    this.#beforeTrouble = this.interruptions.value;
    this.stalledUntilMs.value = nowMs + ms;
    this.#send({ kind: "stall", ms });
    this.say(`The reader of ${this.tenant.name} is stuck. Flood it meanwhile, and see it catch up.`, nowMs);
  }

  /** Shows a sentence for a while. */
  say(text: string, nowMs: number): void {
    this.notice.value = text;
    this.#noticeUntilMs = nowMs + NOTICE_MS;
  }

  /** Counts what was in the logs at the last call and has not come since. */
  measure(nowMs: number): void {
    const boardOffset = this.state.value?.offset ?? 0;
    const tops = this.#tops;
    this.lag.value =
      tops === undefined || this.state.value === undefined
        ? 0
        : Math.max(0, tops.board - boardOffset) + Math.max(0, tops.traffic - this.#trafficOffset);
    if (nowMs > this.#noticeUntilMs) this.notice.value = "";
    const { received, atMs } = this.#counted;
    const secs = (nowMs - atMs) / 1000;
    if (secs < 1) return;
    this.receivedPerSec.value = atMs === 0 ? 0 : Math.round((this.received.value - received) / secs);
    this.#counted = { received: this.received.value, atMs: nowMs };
  }

  onTops(tops: LogTops): void {
    this.#tops = tops;
  }

  onReport(report: ReaderReport): void {
    switch (report.kind) {
      case "connection":
        if (this.connection.value.kind === "connected") this.#beforeTrouble = this.interruptions.value;
        this.connection.value = report.connection;
        break;
      case "restored":
        this.epoch.value = report.epoch;
        this.#become(report.state);
        break;
      case "entry":
        this.#onEntry(report.entry, report.state);
        break;
      case "accepted":
        this.#pending.value = this.#pending.value.map((one) =>
          one.id === report.id ? { ...one, offset: report.offset } : one,
        );
        this.#settle();
        break;
      case "refused":
        this.#pending.value = this.#pending.value.filter(({ id }) => id !== report.id);
        this.say(`Not saved: ${report.reason}.`, Date.now());
        break;
      case "interrupted":
        this.interruptions.value = report.counts;
        this.say(describeReturn(this.tenant.name, this.#beforeTrouble, report.counts), Date.now());
        break;
      case "traffic":
        this.#onTraffic(report);
        break;
      default:
        report satisfies never;
    }
  }

  #onEntry(entry: DeliveredEntry, state: BoardState): void {
    const before = this.state.value?.board ?? this.tenant.seed;
    const issued = parseCommand(entry.event, entry.data);
    const isOwn = this.#pending.value.some(({ id }) => id === issued?.id);
    if (isOwn) this.#pending.value = this.#pending.value.filter(({ id }) => id !== issued?.id);
    else if (issued !== undefined) this.touched.value = { card: issued.command.card, offset: entry.offset };
    const text = describeEntry(entry, { before, after: state.board });
    if (text !== undefined) {
      const activity = { offset: entry.offset, text, atMs: entry.publishedAtMs };
      this.activities.value = [activity, ...this.activities.value].slice(0, MAX_ACTIVITIES);
    }
    this.#become(state);
  }

  #become(state: BoardState): void {
    this.state.value = state;
    this.#settle();
  }

  /** Commands that the board of the log holds are not shown on top of it. */
  #settle(): void {
    const offset = this.state.value?.offset ?? 0;
    const pending = this.#pending.value.filter((one) => one.offset === undefined || one.offset > offset);
    if (pending.length !== this.#pending.value.length) this.#pending.value = pending;
  }

  #onTraffic({ received, position, latencies }: Extract<ReaderReport, { kind: "traffic" }>): void {
    this.received.value = received;
    this.#trafficOffset = position?.offset ?? 0;
    const all = [...this.latencies.value, ...latencies];
    const since = (all.at(-1)?.publishedAtMs ?? 0) - LATENCY_WINDOW_MS;
    this.latencies.value = all.filter(({ publishedAtMs }) => publishedAtMs >= since);
  }
}
