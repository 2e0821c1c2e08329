import { Duplex } from "node:stream";

/**
 * One end of a connection in memory. It stands for a net.Socket without a kernel behind it: what the other end does not
 * read stays in this end's buffer at once, so that a full socket needs no megabytes and no time.
 */
export class MemorySocket extends Duplex {
  readonly remoteAddress = "127.0.0.1";
  bytesWritten = 0;
  #peer: MemorySocket | undefined;
  #taken: (() => void) | undefined;

  /** Two ends of one connection. */
  static pair(): [MemorySocket, MemorySocket] {
    const [a, b] = [new MemorySocket(), new MemorySocket()];
    a.#peer = b;
    b.#peer = a;
    return [a, b];
  }

  private constructor() {
    super({ allowHalfOpen: false, readableHighWaterMark: 1 });
  }

  override write(...args: unknown[]): boolean {
    const [chunk] = args;
    this.bytesWritten += typeof chunk === "string" || chunk instanceof Uint8Array ? Buffer.byteLength(chunk) : 0;
    return super.write(...(args as Parameters<Duplex["write"]>));
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#peer === undefined || this.#peer.destroyed) {
      done();
      return;
    }
    this.#taken = done;
    this.#peer.push(chunk);
  }

  override _read(): void {
    const peer = this.#peer;
    if (peer === undefined) return;
    const taken = peer.#taken;
    peer.#taken = undefined;
    taken?.();
  }

  override _final(done: () => void): void {
    this.#peer?.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const peer = this.#peer;
    this.#peer = undefined;
    if (peer !== undefined) setImmediate(() => peer.destroy());
    done(error);
  }

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
