import { type ClientState, type NetworkEvent, PmClient, PmClientError } from "@pm/client";
import type { IssuedCommand } from "../board/board-command.ts";
import { type DemoTenant, TENANTS } from "../board/tenants.ts";
import { BoardFeed } from "./board-feed.ts";
import { CuttableSockets } from "./cuttable-sockets.ts";
import { Interruptions } from "./interruptions.ts";
import type { ConnectionView, ReaderReport } from "./reader-protocol.ts";
import { TrafficFeed } from "./traffic-feed.ts";

/** Who reads. */
export interface TenantReaderOptions {
  readonly tenant: DemoTenant["id"];
  readonly user: string;
}

/** One client of one tenant: its board, its traffic, and what a visitor may do to its connection. */
export class TenantReader {
  readonly #sockets = new CuttableSockets();
  readonly #client: PmClient;
  readonly #board: BoardFeed;
  readonly #traffic: TrafficFeed;
  readonly #report: (report: ReaderReport) => void;
  #mending: ReturnType<typeof setTimeout> | undefined;
  #onNetwork: (event: NetworkEvent) => void = () => undefined;

  constructor({ tenant, user }: TenantReaderOptions, report: (report: ReaderReport) => void) {
    this.#report = report;
    this.#client = new PmClient({
      url: "/ws",
      getToken: ({ signal }) => fetchToken({ tenant, user }, signal),
      openSocket: this.#sockets.open,
      networkEvents: (listener) => {
        this.#onNetwork = listener;
        return () => undefined;
      },
    });
    this.#client.on("state", (state) => report({ kind: "connection", connection: viewOf(state) }));
    const interruptions = new Interruptions((counts) => report({ kind: "interrupted", counts }));
    const board = this.#client.channel("board:main");
    const traffic = this.#client.channel("traffic:main");
    interruptions.watch(board);
    interruptions.watch(traffic);
    this.#board = new BoardFeed(board, seedOf(tenant), {
      onEntry: (entry, state) => report({ kind: "entry", entry, state }),
      onRestored: (epoch, state) => report({ kind: "restored", epoch, state }),
      onError: (error) => report(stopped(error)),
    });
    this.#traffic = new TrafficFeed(traffic, report);
  }

  async start(): Promise<void> {
    try {
      await Promise.all([this.#client.connect(), this.#board.start(), this.#traffic.start()]);
    } catch (error) {
      this.#report(stopped(error));
    }
  }

  async publish(issued: IssuedCommand): Promise<void> {
    try {
      const offset = await this.#board.publish(issued);
      this.#report({ kind: "accepted", id: issued.id, offset });
    } catch (error) {
      this.#report({ kind: "refused", id: issued.id, reason: reasonOf(error) });
    }
  }

  /** Takes the network away, for so long or until `mend`. */
  cut(ms: number): void {
    clearTimeout(this.#mending);
    this.#mending = setTimeout(() => this.mend(), ms);
    this.#sockets.cut();
  }

  mend(): void {
    clearTimeout(this.#mending);
    this.#sockets.mend();
    this.#onNetwork("online");
  }
}

async function fetchToken({ tenant, user }: TenantReaderOptions, signal: AbortSignal): Promise<string> {
  const query = new URLSearchParams({ tenant, user });
  const response = await fetch(`/dev/token?${query.toString()}`, { signal });
  if (!response.ok) throw new Error(`no token: the server answered ${response.status}`);
  const { token } = (await response.json()) as { readonly token: string };
  return token;
}

function viewOf(state: ClientState): ConnectionView {
  if (state.kind === "waiting") return { kind: "waiting", afterMs: state.afterMs };
  if (state.kind === "stopped") return { kind: "stopped", reason: reasonOf(state.error) };
  return { kind: state.kind };
}

function stopped(error: unknown): ReaderReport {
  return { kind: "connection", connection: { kind: "stopped", reason: reasonOf(error) } };
}

function reasonOf(error: unknown): string {
  if (error instanceof PmClientError && error.code === "RATE_LIMIT_EXCEEDED") return "too many moves in a minute";
  return error instanceof Error ? error.message : String(error);
}

function seedOf(tenant: DemoTenant["id"]): DemoTenant["seed"] {
  const [first, second] = TENANTS;
  return first.id === tenant ? first.seed : second.seed;
}
