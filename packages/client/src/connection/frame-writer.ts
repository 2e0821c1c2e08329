import type { Encoding } from "@pm/proto";
import { type Element, elementBytes, frameOverhead, joinElements } from "../wire/frame-codec.ts";

/** What a frame may have. */
export interface FrameLimits {
  readonly maxBytes: number;
  readonly maxMessages: number;
}

/** Collects what is sent in one turn and writes it in as few frames as the limits allow. */
export class FrameWriter {
  readonly #encoding: Encoding;
  readonly #write: (frame: Element) => void;
  #limits: FrameLimits;
  #waiting: Element[] = [];

  constructor(encoding: Encoding, limits: FrameLimits, write: (frame: Element) => void) {
    this.#encoding = encoding;
    this.#limits = limits;
    this.#write = write;
  }

  set limits(limits: FrameLimits) {
    this.#limits = limits;
  }

  add(element: Element): void {
    this.#waiting.push(element);
    if (this.#waiting.length === 1) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    const elements = this.#waiting;
    this.#waiting = [];
    let frame: Element[] = [];
    let bytes = frameOverhead(this.#encoding);
    for (const element of elements) {
      const more = elementBytes(element);
      const isFull = frame.length === this.#limits.maxMessages || bytes + more > this.#limits.maxBytes;
      if (isFull && frame.length > 0) {
        this.#write(joinElements(frame, this.#encoding));
        frame = [];
        bytes = frameOverhead(this.#encoding);
      }
      frame.push(element);
      bytes += more;
    }
    this.#write(joinElements(frame, this.#encoding));
  }
}
