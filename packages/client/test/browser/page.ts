// Runs in the page: a client that records what it is told, for the test to read.
import type * as Pm from "../../src/index.ts";
import type { Channel, PmClient, PmClientOptions } from "../../src/index.ts";

/** What a test says of the client of the page. */
export interface PageOptions {
  readonly url: string;
  readonly encoding?: "proto" | "json";
  /** Seconds that tokens live. */
  readonly expiresIn?: number;
  readonly token?: string;
  /** Draws the longest waits that chance allows; else they are a fiftieth as long as in earnest. */
  readonly waitsLongest?: boolean;
  readonly connectTimeoutMs?: number;
  readonly maxQueuedPublications?: number;
}

/** What the client of the page was told so far. */
export interface PageRecord {
  readonly ids: unknown[];
  readonly offsets: number[];
  readonly misses: string[];
  readonly channelStates: string[];
  readonly states: string[];
  readonly closeCodes: number[];
  readonly tokenReasons: string[];
  readonly errors: string[];
  readonly rejected: string[];
  recoveries: number;
}

/** What a loop has taken. */
export interface LoopResult {
  readonly taken: unknown[];
  /** The most publications that waited for it. */
  readonly furthestAhead: number;
}

/** The page as a test sees it. */
export interface PageApi {
  start(options: PageOptions): Promise<void>;
  publish(ids: readonly unknown[]): Promise<void>;
  /**
   * Publishes whole numbers from 1 on, one after the other, without waiting; resolves with how many, when all are
   * answered.
   */
  load(ms: number, gapMs: number): Promise<number>;
  /** Begins a loop that takes publications one by one, with a pause after each tenth. */
  startLoop(count: number): void;
  /** What the loop has taken, when it has all. */
  readonly loop: Promise<LoopResult>;
  stop(): Promise<void>;
  readonly record: PageRecord;
}

declare const pm: typeof Pm;

let client: PmClient;
let channel: Channel;
let record: PageRecord;
let loop: Promise<LoopResult>;

async function start({ url, expiresIn = 600, token, waitsLongest, ...options }: PageOptions): Promise<void> {
  record = {
    ids: [],
    offsets: [],
    misses: [],
    channelStates: [],
    states: [],
    closeCodes: [],
    tokenReasons: [],
    errors: [],
    rejected: [],
    recoveries: 0,
  };
  const getToken: PmClientOptions["getToken"] = async ({ reason }) => {
    record.tokenReasons.push(reason);
    return token ?? (await fetch(`/token?expiresIn=${expiresIn}`)).text();
  };
  const random = { ...pm.systemRandomness, fraction: () => (waitsLongest === true ? 0.999 : Math.random() / 50) };
  client = new pm.PmClient({ url, getToken, random, maxPendingPublishes: 100_000, ...options });
  client.on("state", (state) => {
    record.states.push(state.kind);
    if (state.kind === "waiting") record.closeCodes.push(state.closeCode);
    if (state.kind === "stopped") record.closeCodes.push(state.error.closeCode ?? 0);
  });
  client.on("error", ({ code }) => record.errors.push(code));
  client.on("tokenError", ({ code }) => record.errors.push(code));
  channel = client.channel("project:42");
  watch();
  const subscribed = channel.subscribe();
  subscribed.catch(() => undefined);
  await client.connect();
  await subscribed;
}

function watch(): void {
  channel.on("publication", ({ data, position }) => {
    record.ids.push(data);
    record.offsets.push(position.offset);
  });
  channel.on("lagged", ({ reason }) => record.misses.push(reason));
  channel.on("missed", ({ reason }) => record.misses.push(reason));
  channel.on("recovered", () => record.recoveries++);
  channel.on("state", ({ state }) => record.channelStates.push(state));
}

async function publish(ids: readonly unknown[]): Promise<void> {
  const results = await Promise.allSettled(ids.map((id) => channel.publish(id)));
  for (const result of results) {
    if (result.status === "rejected") record.rejected.push((result.reason as { code: string }).code);
  }
}

async function load(ms: number, gapMs: number): Promise<number> {
  const published: Promise<void>[] = [];
  for (const endMs = performance.now() + ms; performance.now() < endMs; ) {
    published.push(publish([published.length + 1]));
    await pause(gapMs);
  }
  await Promise.all(published);
  return published.length;
}

async function consume(count: number): Promise<LoopResult> {
  const taken: unknown[] = [];
  let furthestAhead = 0;
  for await (const { data } of channel) {
    taken.push(data);
    furthestAhead = Math.max(furthestAhead, record.ids.length - taken.length);
    if (taken.length === count) break;
    if (taken.length % 10 === 0) await pause(0);
  }
  return { taken, furthestAhead };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

const api: PageApi = {
  start,
  publish,
  load,
  startLoop: (count) => {
    loop = consume(count);
  },
  get loop() {
    return loop;
  },
  stop: () => client.close(),
  get record() {
    return record;
  },
};
Object.assign(globalThis, { api });
