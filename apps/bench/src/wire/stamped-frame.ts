import { clientFrame, clientHeaderSize, MASK } from "./client-frame.ts";
import { findMarker, STAMP_BYTES, type Stamp, writeStamp } from "./stamp.ts";

/** A client's frame that carries a payload, made and masked once; only its stamp is written for each message. */
export class StampedFrame {
  readonly #masked: Buffer;
  readonly #stampAt: number;
  /** The stamp's mask, in its own phase. */
  readonly #mask: Buffer;
  readonly #plain: Buffer;

  /** @param body with one blank payload in it */
  constructor(opcode: number, body: Buffer) {
    const markerAt = findMarker(body, 0);
    if (markerAt < 0) throw new RangeError(`a body of ${body.length} bytes has no marker`);
    this.#masked = clientFrame(opcode, body);
    this.#stampAt = clientHeaderSize(body.length) + markerAt;
    this.#mask = Buffer.from(Array.from({ length: STAMP_BYTES }, (_, i) => MASK[(markerAt + i) & 3] ?? 0));
    this.#plain = Buffer.from(body.subarray(markerAt, markerAt + STAMP_BYTES));
  }

  /** A new copy with this stamp: a socket may keep it until it is sent. */
  stamped(stamp: Stamp): Buffer {
    const frame = Buffer.from(this.#masked);
    writeStamp(this.#plain, 0, stamp);
    for (let i = 0; i < STAMP_BYTES; i++) frame[this.#stampAt + i] = (this.#plain[i] ?? 0) ^ (this.#mask[i] ?? 0);
    return frame;
  }
}
