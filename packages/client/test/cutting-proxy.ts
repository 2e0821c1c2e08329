import { once } from "node:events";
import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";

/** What becomes of bytes between a client and its server. */
export type Flow = "open" | "to-server-only" | "blackhole";

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** A TCP proxy that does what bad networks do. */
export class CuttingProxy implements AsyncDisposable {
  /** The port that new connections are led to. */
  targetPort: number;
  /** Resets every new connection. */
  isRefusing = false;
  /** Milliseconds that bytes are on their way, in each direction. */
  delayMs = 0;
  accepted = 0;
  #flow: Flow = "open";
  readonly #listener: Server;
  readonly #pairs = new Set<Pair>();

  private constructor(targetPort: number) {
    this.targetPort = targetPort;
    this.#listener = createServer((client) => this.#accept(client));
  }

  static async start(targetPort: number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(targetPort);
    proxy.#listener.listen(0, "127.0.0.1");
    await once(proxy.#listener, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/ws`;
  }

  get open(): number {
    return this.#pairs.size;
  }

  /** For connections that are open, and for new ones. What is held back is lost: it never arrives later. */
  set flow(flow: Flow) {
    this.#flow = flow;
  }

  /** Resets every open connection, on both sides. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    this.#pairs.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#listener.close();
    await once(this.#listener, "close");
  }

  #accept(client: Socket): void {
    client.on("error", () => undefined);
    if (this.isRefusing) {
      client.resetAndDestroy();
      return;
    }
    this.accepted++;
    const server = connect(this.targetPort, "127.0.0.1");
    const pair: Pair = { client, server };
    this.#pairs.add(pair);
    client.setNoDelay();
    server.setNoDelay();
    // A connection through which nothing went for a while is never of use again: bytes are missing from it.
    client.on("data", (data) => (this.#flow === "blackhole" ? this.#poison(pair) : this.#pass(data, server)));
    server.on("data", (data) => (this.#flow === "open" ? this.#pass(data, client) : this.#poison(pair)));
    server.on("error", () => client.resetAndDestroy());
    client.on("close", () => this.#end(pair));
    server.on("close", () => this.#end(pair));
  }

  #pass(data: Buffer, to: Socket): void {
    if (this.delayMs === 0) to.write(data);
    else setTimeout(() => to.write(data), this.delayMs);
  }

  /** Loses what came, and all that comes: the connection stays open and silent. */
  #poison({ client, server }: Pair): void {
    if (this.#flow === "blackhole") client.removeAllListeners("data").resume();
    server.removeAllListeners("data").resume();
  }

  #end(pair: Pair): void {
    this.#pairs.delete(pair);
    pair.client.destroy();
    pair.server.destroy();
  }
}
