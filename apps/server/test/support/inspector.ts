import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { WebSocket } from "ws";
import type { ServerProcess } from "./server-process.ts";

/** What a process holds on to. */
export interface Holdings {
  /** Bytes of the heap after a collection. */
  readonly heapBytes: number;
  /** What keeps its event loop alive, by kind, and who listens to the process, by event. */
  readonly resources: Readonly<Record<string, number>>;
}

/** Looks into a server that was started with `--inspect`, by the protocol of node's debugger. */
export class Inspector implements Disposable {
  readonly #socket: WebSocket;
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  static async attach(server: ServerProcess): Promise<Inspector> {
    const url = /ws:\/\/\S+/.exec(server.stderr)?.[0];
    if (url === undefined) throw new Error("the server was not started with --inspect");
    const socket = new WebSocket(url, { perMessageDeflate: false });
    await once(socket, "open");
    return new Inspector(socket);
  }

  /** Collects garbage until the heap no longer shrinks, and says what is left. */
  async settled(): Promise<Holdings> {
    let heapBytes = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 10; round += 1) {
      await delay(300);
      await this.#call("HeapProfiler.collectGarbage");
      const { usedSize } = (await this.#call("Runtime.getHeapUsage")) as { usedSize: number };
      if (round > 2 && usedSize > heapBytes * 0.999) break;
      heapBytes = Math.min(heapBytes, usedSize);
    }
    return { heapBytes, resources: await this.#lastingResources() };
  }

  /** What is there at two looks in a row: a log line that is being written is gone at the next. */
  async #lastingResources(): Promise<Record<string, number>> {
    let before = await this.#resources();
    for (let round = 0; round < 10; round += 1) {
      await delay(100);
      const now = await this.#resources();
      if (isDeepStrictEqual(now, before)) break;
      before = now;
    }
    return before;
  }

  async #resources(): Promise<Record<string, number>> {
    const expression =
      "[...process.getActiveResourcesInfo(), ...process.eventNames().flatMap((name) => process.listeners(name).map(() => `listener of ${String(name)}`))]";
    const { result } = (await this.#call("Runtime.evaluate", { expression, returnByValue: true })) as {
      result: { value: string[] };
    };
    const counts: Record<string, number> = {};
    for (const kind of result.value.toSorted()) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  }

  #call(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const listen = (data: Buffer): void => {
        const answer = JSON.parse(data.toString("utf8")) as { id?: number; result: unknown };
        if (answer.id !== id) return;
        this.#socket.off("message", listen);
        resolve(answer.result);
      };
      this.#socket.on("message", listen);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
  }
}
