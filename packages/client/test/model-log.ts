import type { Connection } from "../src/connection/connection.ts";
import type { OnReply } from "../src/connection/pending-replies.ts";
import type {
  ClientBody,
  Lagged,
  MissReason,
  PublicationMessage,
  StreamPosition,
  Subscribed,
} from "../src/wire/messages.ts";

/** The log of one channel as a server has it, without a server. */
export class ModelLog {
  readonly #name: string;
  #epochs = 1;
  #base = 0;
  top = 0;

  constructor(name: string) {
    this.#name = name;
  }

  get epoch(): string {
    return `${this.#name}${this.#epochs}`;
  }

  get base(): number {
    return this.#base;
  }

  append(): void {
    this.top++;
  }

  /** Forgets all but the newest `keep` publications. */
  forget(keep: number): void {
    this.#base = Math.max(this.#base, this.top - keep);
  }

  /** Begins anew. */
  restart(): void {
    this.#epochs++;
    this.#base = 0;
    this.top = 0;
  }

  position(offset: number): StreamPosition {
    return { epoch: this.epoch, offset, check: this.tag(offset) };
  }

  tag(offset: number): number {
    return this.#epochs * 1000 + offset + 1;
  }

  publication(offset: number): PublicationMessage {
    const texts = { channel: "c", event: "", publisher: "", messageId: `${this.epoch}.${offset}`, traceParent: "" };
    return { ...texts, offset, check: this.tag(offset), payload: undefined, publishedAtMs: 0 };
  }
}

/** Something on its way to the client. */
type Output =
  | { readonly kind: "reply"; readonly onReply: OnReply; readonly value: Subscribed }
  | { readonly kind: "publication"; readonly value: PublicationMessage }
  | { readonly kind: "lagged"; readonly value: Lagged };

/** What the client does with what it reads. */
export interface Reader {
  onPublication(connection: Connection, publication: PublicationMessage): void;
  onLagged(connection: Connection, lagged: Lagged): void;
}

/** One connection to a ModelLog: commands and outputs keep their order, and everything else is up to the test. */
export class ModelConnection {
  readonly #log: ModelLog;
  readonly #commands: (() => void)[] = [];
  readonly #outputs: Output[] = [];
  /** Where the server delivers from. */
  #next: { readonly epoch: string; readonly offset: number } | undefined;

  constructor(log: ModelLog) {
    this.#log = log;
  }

  /** As the client sees it. */
  get asConnection(): Connection {
    return this as unknown as Connection;
  }

  send(body: ClientBody, onReply?: OnReply): void {
    if (body.kind === "unsubscribe") this.#commands.push(() => (this.#next = undefined));
    if (body.kind === "subscribe") this.#commands.push(() => this.#subscribe(body.value.since, onReply));
  }

  /** The server takes a step: carries out a command, or delivers. Returns false when there was nothing to do. */
  serve(): boolean {
    const command = this.#commands.shift();
    if (command === undefined) return this.#deliver();
    command();
    return true;
  }

  /** The client reads what comes next. Returns false when there was nothing. */
  read(reader: Reader): boolean {
    const output = this.#outputs.shift();
    if (output === undefined) return false;
    if (output.kind === "reply") {
      output.onReply({ kind: "answer", body: { kind: "subscribed", value: output.value } });
    } else if (output.kind === "publication") reader.onPublication(this.asConnection, output.value);
    else reader.onLagged(this.asConnection, output.value);
    return true;
  }

  #deliver(): boolean {
    if (this.#next === undefined) return false;
    const { epoch, offset } = this.#next;
    if (epoch !== this.#log.epoch) this.#lag("EPOCH_CHANGED", this.#log.top, 0);
    else if (offset <= this.#log.base) this.#lag("RETENTION", this.#log.base, this.#log.base - offset + 1);
    else if (offset > this.#log.top) return false;
    else {
      this.#outputs.push({ kind: "publication", value: this.#log.publication(offset) });
      this.#next = { epoch, offset: offset + 1 };
    }
    return true;
  }

  #lag(reason: MissReason, offset: number, missedCount: number): void {
    const value: Lagged = { channel: "c", reason, missedCount, position: this.#log.position(offset) };
    this.#outputs.push({ kind: "lagged", value });
    this.#next = { epoch: this.#log.epoch, offset: offset + 1 };
  }

  #subscribe(since: StreamPosition | undefined, onReply: OnReply | undefined): void {
    const { start, miss, missedCount } = this.#startOf(since);
    const position = this.#log.position(start);
    this.#next = { epoch: position.epoch, offset: start + 1 };
    const recovered = since !== undefined && miss === "UNSPECIFIED";
    const value: Subscribed = {
      channel: "c",
      position,
      recovered,
      miss,
      missedCount,
      top: this.#log.position(this.#log.top),
    };
    if (onReply !== undefined) this.#outputs.push({ kind: "reply", onReply, value });
  }

  #startOf(since: StreamPosition | undefined): { start: number; miss: MissReason; missedCount: number } {
    const { epoch, top, base } = this.#log;
    if (since === undefined) return { start: top, miss: "UNSPECIFIED", missedCount: 0 };
    if (since.epoch !== epoch) return { start: top, miss: "EPOCH_CHANGED", missedCount: 0 };
    if (since.offset > top) return { start: top, miss: "AHEAD", missedCount: 0 };
    if (since.offset < base) return { start: base, miss: "RETENTION", missedCount: base - since.offset };
    return { start: since.offset, miss: "UNSPECIFIED", missedCount: 0 };
  }
}
