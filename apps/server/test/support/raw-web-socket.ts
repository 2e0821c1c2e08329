import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { decodeServerFrame, type Encoding, type ServerMessage, SUBPROTOCOLS } from "@pm/proto";
import { RawSocket } from "./raw-socket.ts";
import type { TokenSubject } from "./token.ts";
import { type Address, bearer, upgradeRequest } from "./upgrade.ts";

/** The opcodes of RFC 6455, section 5.2. */
export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A frame as it is to stand on the wire. */
export interface RawFrame {
  readonly opcode: number;
  readonly payload?: Uint8Array | string | undefined;
  /** @default true */
  readonly fin?: boolean;
  /** The three reserved bits, 0 to 7. */
  readonly rsv?: number;
  /** @default true */
  readonly masked?: boolean;
  /** The length in the header, where it is not that of the payload. */
  readonly declaredLength?: number;
}

/** What the server sent in one frame. */
interface ReceivedFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** A WebSocket written by hand, to send what no library would. It answers no ping. */
export class RawWebSocket implements Disposable {
  readonly #socket: RawSocket;
  readonly #encoding: Encoding;
  readonly frames: ReceivedFrame[] = [];

  private constructor(socket: RawSocket, encoding: Encoding) {
    this.#socket = socket;
    this.#encoding = encoding;
  }

  /** Connects, and waits for Welcome. `early` goes out in the same packet as the request. */
  static async connect(
    server: Address,
    options: TokenSubject & { readonly encoding?: Encoding; readonly early?: Uint8Array } = {},
  ): Promise<RawWebSocket> {
    const encoding = options.encoding ?? "proto";
    const socket = await RawSocket.open(server);
    const headers = [await bearer(options), ["Sec-WebSocket-Protocol", SUBPROTOCOLS[encoding]]] as const;
    const request = Buffer.from(upgradeRequest(server, { headers }));
    socket.write(Buffer.concat([request, options.early ?? new Uint8Array()]));
    const { status } = await socket.answer();
    if (status !== 101) throw new Error(`the upgrade was refused with ${status}`);
    const client = new RawWebSocket(socket, encoding);
    await client.until(() => client.messages.some(({ body }) => body.case === "welcome"), "Welcome");
    return client;
  }

  /** Everything the server has said so far. */
  get messages(): ServerMessage[] {
    this.#read();
    return this.frames
      .filter(({ opcode }) => opcode === Opcode.text || opcode === Opcode.binary)
      .flatMap(({ payload }) =>
        decodeServerFrame(
          this.#encoding === "json" ? payload.toString("utf8") : new Uint8Array(payload),
          this.#encoding,
        ),
      );
  }

  /** The codes of the errors that it has sent so far. */
  get errorCodes(): string[] {
    return this.messages.flatMap(({ body }) => (body.case === "error" ? [body.value.code] : []));
  }

  /** The code in the close frame; undefined before it came, 1005 for one without a code. */
  get closeCode(): number | undefined {
    this.#read();
    const frame = this.frames.find(({ opcode }) => opcode === Opcode.close);
    if (frame === undefined) return undefined;
    return frame.payload.length >= 2 ? frame.payload.readUInt16BE(0) : 1005;
  }

  /** Frames of one opcode that have come. */
  count(opcode: number): number {
    this.#read();
    return this.frames.filter((frame) => frame.opcode === opcode).length;
  }

  send(...frames: RawFrame[]): void {
    this.#socket.write(Buffer.concat(frames.map((frame) => frameBytes(frame))));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  reset(): void {
    this.#socket.reset();
  }

  pause(): void {
    this.#socket.pause();
  }

  /** Waits for the close frame and then for the end of the connection; gives its code and when it came. */
  async closure(timeoutMs = 5_000): Promise<{ readonly code: number | undefined; readonly atMs: number }> {
    await this.until(() => this.closeCode !== undefined || this.#socket.isClosed, "close", timeoutMs);
    const atMs = performance.now();
    const code = this.closeCode;
    if (code !== undefined) this.send({ opcode: Opcode.close, payload: Buffer.from([code >> 8, code & 0xff]) });
    return { code, atMs };
  }

  async until(condition: () => boolean, what: string, timeoutMs = 5_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!condition()) {
      if (performance.now() > deadline || (this.#socket.isClosed && !condition()))
        throw new Error(`no ${what}: closed ${this.#socket.isClosed}, code ${this.closeCode}`);
      await delay(5);
    }
  }

  #read(): void {
    for (;;) {
      const bytes = this.#socket.received;
      if (bytes.length < 2) return;
      const short = (bytes[1] ?? 0) & 0x7f;
      const head = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (bytes.length < head) return;
      const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
      if (bytes.length < head + length) return;
      const frame = this.#socket.consume(head + length);
      this.frames.push({ opcode: (frame[0] ?? 0) & 0x0f, payload: frame.subarray(head) });
    }
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}

/** The bytes of a frame, masked as a client has to. */
export function frameBytes(frame: RawFrame): Buffer {
  const payload = Buffer.from(frame.payload ?? "");
  const masked = frame.masked ?? true;
  const first = ((frame.fin ?? true) ? 0x80 : 0) | ((frame.rsv ?? 0) << 4) | frame.opcode;
  const head = [Buffer.of(first), lengthBytes(frame.declaredLength ?? payload.length, masked ? 0x80 : 0)];
  if (!masked) return Buffer.concat([...head, payload]);
  const mask = randomBytes(4);
  return Buffer.concat([...head, mask, payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))]);
}

function lengthBytes(length: number, maskBit: number): Buffer {
  if (length < 126) return Buffer.of(maskBit | length);
  if (length < 65_536) return Buffer.of(maskBit | 126, length >> 8, length & 0xff);
  const bytes = Buffer.alloc(9);
  bytes[0] = maskBit | 127;
  bytes.writeBigUInt64BE(BigInt(length), 1);
  return bytes;
}
