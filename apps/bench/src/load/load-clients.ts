import { RecordingClient } from "@pm/ws/testing";
import { TokenMint } from "../process/token-mint.ts";
import type { LoadOptions } from "./load-options.ts";

/** Connections under way at a time. */
const CONCURRENCY = 32;

/** What a client of a load test does. */
export type LoadRole = "reader" | "publisher" | "idle";

/** Who hears of what clients do. */
export type ClientListeners = Pick<ConstructorParameters<typeof RecordingClient>[0], "record" | "onAccepted">;

/** How many clients of a role, and who hears of them. */
export interface ClientRequest {
  readonly role: LoadRole;
  readonly count: number;
  readonly listeners: ClientListeners;
  /** What each does when it is connected. */
  readonly ready?: ((client: RecordingClient, n: number) => Promise<unknown>) | undefined;
}

/**
 * Connects clients, some at a time, each as a user of its own.
 * @throws DisconnectedError, RefusedError for the first that cannot
 */
export async function connectClients(options: LoadOptions, request: ClientRequest): Promise<RecordingClient[]> {
  const { role, count, listeners, ready } = request;
  const { secret, tenant, issuer, audience } = options.tokens;
  const mint = new TokenMint(secret);
  const clients: RecordingClient[] = [];
  let begun = 0;
  const connectSome = async (): Promise<void> => {
    while (begun < count) {
      const n = begun++;
      const user = `${role}-${n}`;
      const token = await mint.mint({ tenant, user, issuer, audience });
      const client = new RecordingClient({ url: options.url, token, tenant, user, name: user, ...listeners });
      clients[n] = client;
      await client.connect();
      await ready?.(client, n);
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, count) }, connectSome));
  return clients;
}
