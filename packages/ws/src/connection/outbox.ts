import type { Encoding } from "@pm/proto";
import type { Run } from "../fanout/run.ts";
import type { Flushable } from "../fanout/turn-scheduler.ts";
import { type Elements, frameElements, whole } from "../wire/websocket-frame.ts";

/** The part of a socket that an Outbox uses. */
export interface OutboxSocket {
  readonly writableLength: number;
  /** It tells that it has drained only after it held more than this. */
  readonly writableHighWaterMark: number;
  /** Above 0 while writes are held together: they go down at once when it ends. */
  readonly writableCorked: number;
  write(bytes: Uint8Array): boolean;
}

/** How much may wait for one connection. */
export interface OutboxLimits {
  /** Bytes in the socket above which the connection is behind, and publications are no longer queued for it. */
  readonly highWaterBytes: number;
  /** Bytes of replies that may wait above that mark. */
  readonly maxReplyBytes: number;
  /** Replies that may wait. */
  readonly maxReplies: number;
}

/** Whom an Outbox tells. */
export interface OutboxOwner {
  /** Bytes wait: flush at the end of the turn. */
  onDirty(outbox: Flushable): void;
  /** Replies are over their bounds: the connection has to end. */
  onReplyOverflow(): void;
}

/** Frames are cut here, with at least one message. */
const MAX_FRAME_BYTES = 65_536;

/**
 * The one writer to a socket. What is given to it in a turn of the event loop goes down in one write; a run that waits
 * alone is written as the shared buffer that it is.
 */
export class Outbox implements Flushable {
  // First what every delivery looks at: it lies side by side, and is not in the processor's caches by then.
  readonly #socket: OutboxSocket;
  /**
   * That of the limits, or that of the socket where it is higher: below its own a socket does not tell that it drained.
   */
  readonly #highWaterBytes: number;
  #closed = false;
  /** Messages and bytes given to the socket. */
  messagesOut = 0;
  bytesOut = 0;
  /** Nothing else will come for it in a turn: publications are written at once where nothing waits. */
  writesAtOnce = false;
  #first: Elements | undefined;
  readonly encoding: Encoding;
  readonly #owner: OutboxOwner;
  #more: Elements[] | undefined;
  #replies = 0;
  #replyBytes = 0;
  readonly #limits: OutboxLimits;

  constructor(options: {
    readonly encoding: Encoding;
    readonly socket: OutboxSocket;
    readonly limits: OutboxLimits;
    readonly owner: OutboxOwner;
  }) {
    this.encoding = options.encoding;
    this.#socket = options.socket;
    this.#limits = options.limits;
    this.#highWaterBytes = Math.max(options.limits.highWaterBytes, options.socket.writableHighWaterMark);
    this.#owner = options.owner;
  }

  /** True while the socket holds more than its high-water mark. */
  get isBehind(): boolean {
    return this.#socket.writableLength > this.#highWaterBytes;
  }

  /** Bytes that the socket has not taken yet. */
  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Reads what an offer looks at, as `TurnJob.touch` says. */
  touch(): number {
    return this.bytesOut ^ this.#socket.writableLength;
  }

  /** Queues publications. Ask `isBehind` first: this takes a run of any size. */
  offer(run: Run): void {
    if (this.#closed) return;
    this.messagesOut += run.entries.length;
    if (this.writesAtOnce && this.#first === undefined) this.#write(run.bytes(this.encoding));
    else this.#push(run.bytes(this.encoding));
  }

  /** Queues a reply or a push that is not a publication. False when nothing is taken any more. */
  reply(element: Buffer): boolean {
    if (this.#closed) return false;
    this.messagesOut++;
    this.#replies++;
    this.#replyBytes += element.byteLength;
    this.#push(whole(element));
    if (this.#replies > this.#limits.maxReplies || this.#replyBytes > this.#limits.maxReplyBytes) this.#checkReplies();
    return true;
  }

  /** The socket has taken all it was given. */
  drained(): void {
    this.#replies = 0;
    this.#replyBytes = 0;
  }

  /** Writes what waits. */
  flush(): void {
    const first = this.#first;
    if (first === undefined || this.#closed) return;
    const more = this.#more;
    this.#first = undefined;
    this.#more = undefined;
    if (more === undefined) this.#write(first);
    else this.#writeFrames([first, ...more]);
    if (this.#replies > 0 && this.#socket.writableLength === 0) this.drained();
  }

  /** Writes what waits; nothing more is taken. */
  close(): void {
    this.flush();
    this.#closed = true;
  }

  #push(waiting: Elements): void {
    if (this.#first === undefined) {
      this.#first = waiting;
      this.#owner.onDirty(this);
    } else if (this.#more === undefined) {
      this.#more = [waiting];
    } else {
      this.#more.push(waiting);
    }
  }

  #checkReplies(): void {
    this.flush();
    if (this.isBehind) this.#owner.onReplyOverflow();
    // What the socket holds is below its mark: of the replies that were counted most have been taken.
    else this.drained();
  }

  #writeFrames(waiting: readonly Elements[]): void {
    let parts: Elements[] = [];
    let bytes = 0;
    for (const part of waiting) {
      const size = part.end - part.start;
      if (bytes > 0 && bytes + size > MAX_FRAME_BYTES) {
        this.#write(frameElements(parts, this.encoding));
        parts = [];
        bytes = 0;
      }
      parts.push(part);
      bytes += size;
    }
    this.#write(frameElements(parts, this.encoding));
  }

  #write(elements: Elements): void {
    const frame = elements.isFrame ? elements.bytes : frameElements([elements], this.encoding).bytes;
    this.bytesOut += frame.byteLength;
    const hasToWait = this.#socket.writableLength > 0 && this.#socket.writableCorked === 0;
    this.#socket.write(hasToWait ? tight(frame) : frame);
  }
}

/** A small frame that has to wait would hold the whole block of memory that it was cut from: it gets its own. */
function tight(frame: Buffer): Buffer {
  if (frame.buffer.byteLength <= 2 * frame.byteLength) return frame;
  const copy = Buffer.allocUnsafeSlow(frame.byteLength);
  frame.copy(copy);
  return copy;
}
