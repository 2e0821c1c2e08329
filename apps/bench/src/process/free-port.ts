import { once } from "node:events";
import { createServer } from "node:net";

// Below the ports that kernels give to outgoing connections: while a server starts, a connection that asks for it could
// otherwise be given its port, and even reach itself.
const FIRST_PORT = 12_000;
const PORTS = 20_000;

/** A port of the loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await Promise.race([
      once(server, "listening").then(() => true),
      once(server, "error").then(() => false),
    ]);
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}
