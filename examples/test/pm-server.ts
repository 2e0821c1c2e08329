import { Child, type ChildOptions } from "./child-process.ts";

/** The secret of the servers in these tests. */
export const SECRET = "a secret of tests, long enough: 0123456789abcdef";

/** A running server, and where it listens. */
export interface PmServer extends AsyncDisposable {
  readonly process: Child;
  readonly host: string;
  readonly opsHost: string;
}

/** Starts the built server on ports of its own, or on one that is given. */
export async function startServer(env: NonNullable<ChildOptions["env"]> = {}): Promise<PmServer> {
  const settings = { BIND_ADDR: "127.0.0.1:0", OPS_BIND_ADDR: "127.0.0.1:0", JWT_SECRET: SECRET, LOG_COLORED: "false" };
  const child = new Child("apps/server/dist/main.js", {
    env: { ...settings, DRAIN_GRACE_SECS: "0", DRAIN_WINDOW_SECS: "0", ...env },
  });
  const started = JSON.parse(await child.printed(/^(\{.*"server_started".*\})$/m)) as Record<string, unknown>;
  return {
    process: child,
    host: `127.0.0.1:${String(started["port"])}`,
    opsHost: `127.0.0.1:${String(started["ops_port"])}`,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
