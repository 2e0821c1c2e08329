import { Opcode } from "./client-frame.ts";

/** Who is told of frames. `bytes` holds good during the call only. */
export interface FrameSink {
  /** A text or binary frame; its body is bytes[start, end). */
  data(bytes: Buffer, start: number, end: number): void;
  /** A ping, pong or close frame. */
  control(opcode: number, body: Buffer): void;
  /** The bytes are not frames that a server may send: fragments, masked frames, sizes beyond reason. */
  malformed(reason: string): void;
}

/** Larger than any frame of the servers that are measured. */
const MAX_FRAME_BYTES = 16 * 1024 ** 2;

/**
 * Finds the frames of a server in the chunks that a socket delivers. Bodies are not copied, except where a frame is cut
 * by the end of a chunk.
 */
export class FrameScanner {
  readonly #sink: FrameSink;
  #rest: Buffer | undefined;
  #isBroken = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Takes bytes[start, end), which the caller may overwrite afterwards. */
  push(bytes: Buffer, start: number, end: number): void {
    const { rest } = this;
    if (rest === undefined) {
      this.#keep(bytes, this.#walk(bytes, start, end), end);
      return;
    }
    const joined = Buffer.concat([rest, bytes.subarray(start, end)]);
    this.#keep(joined, this.#walk(joined, 0, joined.length), joined.length);
  }

  /** Bytes of a frame that is not yet whole. */
  get rest(): Buffer | undefined {
    return this.#rest;
  }

  #keep(bytes: Buffer, at: number, end: number): void {
    this.#rest = at < end && !this.#isBroken ? Buffer.from(bytes.subarray(at, end)) : undefined;
  }

  /** Returns where the first frame begins that is not whole. */
  #walk(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (!this.#isBroken && end - at >= 2) {
      const first = bytes[at] ?? 0;
      const second = bytes[at + 1] ?? 0;
      if ((first & 0xf0) !== 0x80 || first === 0x80 || second > 0x7f) {
        this.#break(`it begins with ${first.toString(16)} ${second.toString(16)}`);
        break;
      }
      const header = headerSize(second);
      if (end - at < header) break;
      const length = bodyLength(bytes, at, second);
      if (length > MAX_FRAME_BYTES) {
        this.#break(`it has ${length} bytes`);
        break;
      }
      const bodyEnd = at + header + length;
      if (bodyEnd > end) break;
      const opcode = first & 0x0f;
      if (opcode <= Opcode.binary) this.#sink.data(bytes, at + header, bodyEnd);
      else this.#sink.control(opcode, bytes.subarray(at + header, bodyEnd));
      at = bodyEnd;
    }
    return at;
  }

  #break(reason: string): void {
    this.#isBroken = true;
    this.#sink.malformed(reason);
  }
}

function headerSize(second: number): number {
  if (second === 127) return 10;
  return second === 126 ? 4 : 2;
}

function bodyLength(bytes: Buffer, at: number, second: number): number {
  if (second < 126) return second;
  return second === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
}
