import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Lifecycle } from "@pm/core";
import type { ListenAddress } from "./config/listen-address.ts";
import { Health } from "./health.ts";
import { publicRoutes } from "./routes.ts";
import type { AppState } from "./state.ts";
import { subsystemsOf } from "./subsystems.ts";

/** A half-sent request is closed after this, in milliseconds; so is a connection that sends nothing. */
const REQUEST_TIMEOUT_MS = 5_000;
/** Headers in all. */
const MAX_HEADER_BYTES = 16_384;

/** The whole server: listeners around the state. */
export class PmServer implements Lifecycle {
  readonly #state: AppState;
  readonly #public: Server;
  #draining: Promise<void> | undefined;

  constructor(state: AppState) {
    this.#state = state;
    const health = new Health(subsystemsOf(state), () => state.ws.shutdown.phase);
    const app = publicRoutes({ health, corsOrigins: state.config.corsOrigins });
    this.#public = createServer(
      {
        headersTimeout: REQUEST_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        connectionsCheckingInterval: 1_000,
        keepAliveTimeout: REQUEST_TIMEOUT_MS,
        maxHeaderSize: MAX_HEADER_BYTES,
      },
      app,
    );
    this.#public.on("upgrade", (request, socket, head) => {
      if (state.ws.isMine(request)) state.ws.handleUpgrade(request, socket, head);
      else socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    });
  }

  /** Where the public listener is; only after `start`. */
  get address(): ListenAddress {
    const { address, port } = this.#public.address() as AddressInfo;
    return { host: address, port };
  }

  /** Listens. Rejects when an address is taken, or keys cannot be fetched. */
  async start(): Promise<void> {
    await this.#state.validator.start();
    await listen(this.#public, this.#state.config.bindAddr);
  }

  /** Ends in order, as design and documentation of SIGTERM say. */
  drain(): Promise<void> {
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  async close(): Promise<void> {
    await this.#state.ws.close();
    this.#public.closeAllConnections();
    this.#public.close();
    await this.#state.validator.close();
  }

  async #drain(): Promise<void> {
    const { ws, config, logger } = this.#state;
    logger.info("drain_started", { connections: ws.connections.size });
    const times = {
      graceSecs: config.drainGraceSecs,
      windowSecs: config.drainWindowSecs,
      deadlineSecs: config.drainDeadlineSecs,
    };
    await ws.drain(times, () => {
      this.#public.close();
      logger.info("listener_closed", { connections: ws.connections.size });
    });
    await this.close();
    logger.info("drain_finished");
  }
}

function listen(server: Server, { host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}
