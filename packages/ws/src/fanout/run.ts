import type { ChannelName } from "@pm/core";
import type { Encoding } from "@pm/proto";
import { type Elements, FIN_BINARY, frameElements, headerSize, whole, writeHeader } from "../wire/websocket-frame.ts";
import type { LogEntry } from "../log/broker.ts";
import { encodeJsonPublications, encodePublications } from "../wire/publication-encoder.ts";

/**
 * Consecutive entries of one channel on their way to its readers. Encoded once for each encoding in use, and the bytes
 * are shared by all who need exactly this run.
 */
export class Run {
  readonly channel: ChannelName;
  readonly epoch: string;
  readonly entries: readonly LogEntry[];
  readonly first: number;
  readonly last: number;
  /** The tag of the last entry. */
  readonly lastCheck: number;
  #proto: Elements | undefined;
  #json: Elements | undefined;

  /** @param entries at least one, without holes */
  constructor(channel: ChannelName, epoch: string, entries: readonly LogEntry[]) {
    this.channel = channel;
    this.epoch = epoch;
    this.entries = entries;
    this.first = entries[0]?.offset ?? 0;
    this.last = this.first + entries.length - 1;
    this.lastCheck = entries[entries.length - 1]?.check ?? 0;
  }

  bytes(encoding: Encoding): Elements {
    if (encoding === "json") {
      this.#json ??= this.#encode(encoding);
      return this.#json;
    }
    this.#proto ??= this.#encode(encoding);
    return this.#proto;
  }

  /** The part from `offset` on, for a reader that has seen the beginning. */
  from(offset: number): Run {
    return offset <= this.first ? this : new Run(this.channel, this.epoch, this.entries.slice(offset - this.first));
  }

  #encode(encoding: Encoding): Elements {
    if (encoding === "json")
      return frameElements([whole(encodeJsonPublications(this.channel, this.entries))], encoding);
    const { bytes, offset } = encodePublications(this.channel, this.entries, headerSize);
    writeHeader(bytes, FIN_BINARY, bytes.length - offset);
    return { bytes, start: offset, end: bytes.length, isFrame: true };
  }
}
