/* oxlint-disable no-underscore-dangle -- the name is Node's own */
import type { Duplex } from "node:stream";

/** Where a socket of Node keeps the buffer that it reads into, and whom it tells: symbols that Node does not export. */
interface ReadFields {
  readonly buffer: symbol;
  readonly callback: symbol;
}

/** The native side of a socket. */
interface Handle {
  readonly useUserBuffer?: (buffer: Buffer) => void;
}

/**
 * What the kernel is asked for in one read. Less than half of Node's blocks of 8 KiB, so that copies are cut from those;
 * and little, since all of it is carried out before any other socket is looked at.
 */
const READ_BYTES = 4_000;

/**
 * One buffer into which all sockets are read; what has come is copied out of it. Left alone, Node makes 64 KiB for
 * every read and cuts them down to what has come, which is a tenth of all that a small message costs. It has the option
 * for clients alone (`onread` of `net.Socket`), so a server's socket is told by the names that Node uses inside.
 */
export class SharedReadBuffer {
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  #fields: ReadFields | undefined;

  /** Has a socket read into the buffer from now on. False: it is another kind of stream, and is read as before. */
  use(socket: Duplex): boolean {
    this.#fields ??= fieldsOf(socket);
    const handle = (socket as { readonly _handle?: Handle | null })._handle;
    if (this.#fields === undefined || typeof handle?.useUserBuffer !== "function" || "encrypted" in socket)
      return false;
    Reflect.set(socket, this.#fields.buffer, this.#buffer);
    Reflect.set(socket, this.#fields.callback, pushCopy);
    // Else Node goes on reading for itself, up to this mark, when the socket is paused.
    Reflect.set(Reflect.get(socket, "_readableState") as object, "highWaterMark", 0);
    handle.useUserBuffer(this.#buffer);
    return true;
  }
}

/** Called by Node as a method of the socket. False: it is not read until somebody asks for more. */
function pushCopy(this: Duplex, bytes: number, buffer: Buffer): boolean {
  const came = Buffer.allocUnsafe(bytes);
  buffer.copy(came, 0, 0, bytes);
  return this.push(came);
}

function fieldsOf(socket: Duplex): ReadFields | undefined {
  const symbols = Object.getOwnPropertySymbols(socket);
  const buffer = symbols.find(({ description }) => description === "kBuffer");
  const callback = symbols.find(({ description }) => description === "kBufferCb");
  return buffer === undefined || callback === undefined ? undefined : { buffer, callback };
}
