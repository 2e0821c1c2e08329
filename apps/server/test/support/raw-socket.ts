import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** An HTTP answer as it stood on the wire. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A TCP connection to the server that sends exactly the bytes it is given. */
export class RawSocket implements Disposable {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #closedAtMs: number | undefined;
  /** Resolved, by `performance.now()`, when the server has ended it. */
  readonly closed: Promise<number>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (bytes) => (this.#received = Buffer.concat([this.#received, bytes])));
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#closedAtMs = performance.now();
        resolve(this.#closedAtMs);
      });
    });
  }

  static async open(server: { readonly host: string; readonly port: number }): Promise<RawSocket> {
    const socket = connect(server.port, server.host);
    const raw = new RawSocket(socket);
    await once(socket, "connect");
    return raw;
  }

  /** What has come and has not been consumed. */
  get received(): Buffer {
    return this.#received;
  }

  get isClosed(): boolean {
    return this.#closedAtMs !== undefined;
  }

  write(data: string | Uint8Array): void {
    this.#socket.write(data);
  }

  /** Ends it with a TCP reset. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Stops reading, so that the server's writes pile up. */
  pause(): void {
    this.#socket.pause();
  }

  consume(bytes: number): Buffer {
    const taken = this.#received.subarray(0, bytes);
    this.#received = this.#received.subarray(bytes);
    return taken;
  }

  /** Reads an HTTP answer: its head, and the body by its length. */
  async answer(timeoutMs = 8_000): Promise<HttpAnswer> {
    const end = await this.#until(() => this.#received.indexOf("\r\n\r\n"), timeoutMs);
    const [statusLine = "", ...lines] = this.consume(end + 4)
      .toString("latin1")
      .trimEnd()
      .split("\r\n");
    const headers = new Map(
      lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
    );
    const length = Number(headers.get("content-length") ?? 0);
    await this.#until(() => (this.#received.length >= length ? 0 : -1), timeoutMs);
    return { status: Number(statusLine.split(" ")[1]), headers, body: this.consume(length).toString("utf8") };
  }

  async #until(found: () => number, timeoutMs: number): Promise<number> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const index = found();
      if (index >= 0) return index;
      if (this.isClosed || performance.now() > deadline)
        throw new Error(`no answer; got ${JSON.stringify(this.#received.toString("latin1").slice(0, 200))}`);
      await delay(5);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
