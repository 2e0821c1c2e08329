import { BenchError } from "../bench-error.ts";
import { BenchClient, type ClientEvents, type ClientPlan } from "./bench-client.ts";

/** Connections under way at a time. */
const CONCURRENCY = 64;
const TIMEOUT_MS = 60_000;

/**
 * Opens connections, some at a time, and resolves when all are ready.
 * @throws BenchError `CONNECT_FAILED` when one is refused or cut, or a minute has passed
 */
export function openClients(
  count: number,
  planOf: (n: number) => ClientPlan,
  events: FrameEvents,
): Promise<BenchClient[]> {
  if (count === 0) return Promise.resolve([]);
  return new Promise((resolve, reject) => {
    const clients: BenchClient[] = [];
    let ready = 0;
    const fail = (reason: string): void => {
      clearTimeout(timeout);
      reject(BenchError.connectFailed(ready, count, reason));
    };
    const timeout = setTimeout(fail, TIMEOUT_MS, "a minute has passed");
    const clientEvents: ClientEvents = {
      ready: () => {
        ready++;
        if (clients.length < count) openNext();
        if (ready < count) return;
        clearTimeout(timeout);
        resolve(clients);
      },
      frame: events.frame,
      closed: (client, reason) => {
        events.closed(client, reason);
        if (ready < count) fail(reason.text);
      },
    };
    const openNext = (): void => {
      clients.push(new BenchClient(planOf(clients.length), clientEvents));
    };
    while (clients.length < Math.min(CONCURRENCY, count)) openNext();
  });
}

/** What happens to clients once they are ready. */
export type FrameEvents = Omit<ClientEvents, "ready">;
