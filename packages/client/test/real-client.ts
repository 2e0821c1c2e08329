import { PmClient, type PmClientOptions, systemRandomness } from "../src/index.ts";
import { signToken } from "./pm-server.ts";

/** A client on the real WebSocket and the real clock, whose backoffs are a fiftieth as long as in earnest. */
export function realClient(url: string, options: Partial<PmClientOptions> = {}): PmClient {
  return new PmClient({
    url,
    getToken: () => signToken(),
    random: { ...systemRandomness, fraction: () => Math.random() / 50 },
    ...options,
  });
}

/** Resolves when the client is in a state of this kind. */
export function whenState(client: PmClient, kind: PmClient["state"]["kind"], timeoutMs = 10_000): Promise<void> {
  if (client.state.kind === kind) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`the client is ${client.state.kind}, not ${kind}`)), timeoutMs);
    const unlisten = client.on("state", (state) => {
      if (state.kind !== kind) return;
      clearTimeout(late);
      unlisten();
      resolve();
    });
  });
}
