import { join } from "node:path";
import type { CodedError, Lifecycle } from "@pm/core";
import { type DrainTimes, takeUpgrades } from "@pm/ws";
import type { ListenAddress } from "./config/listen-address.ts";
import { developmentRoutes } from "./development-routes.ts";
import { HttpListener } from "./listener/http-listener.ts";
import { OpsListener } from "./ops/ops-listener.ts";
import { publicRoutes } from "./routes.ts";
import { startedBy } from "./start-error.ts";
import type { AppState } from "./state.ts";

/** Milliseconds for a whole request on the public listener: none has a body that matters. */
const REQUEST_TIMEOUT_MS = 5_000;

/** The whole server: two listeners around the state. */
export class PmServer implements Lifecycle {
  readonly #state: AppState;
  readonly #public: HttpListener;
  readonly #ops: OpsListener;
  #draining: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(state: AppState) {
    const { config, ws } = state;
    this.#state = state;
    this.#public = new HttpListener({
      setting: "BIND_ADDR",
      address: config.bindAddr,
      handler: publicRoutes({
        health: state.health,
        corsOrigins: config.corsOrigins,
        development: config.nodeEnv === "development" ? developmentRoutes(config, state) : undefined,
        report: (error) => report(error, state),
      }),
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      onAcceptError: (error) => state.logger.error("accept_failed", { listener: "public", error }),
    });
    takeUpgrades(this.#public.server, ws);
    this.#ops = new OpsListener({ address: config.opsBindAddr, key: config.opsKey }, state);
  }

  /** Where the public listener is; only after `start`. */
  get address(): ListenAddress {
    return this.#public.address;
  }

  /** Where the operations listener is; only after `start`. */
  get opsAddress(): ListenAddress {
    return this.#ops.address;
  }

  /** Open connections. */
  get connections(): number {
    return this.#state.ws.connections.size;
  }

  /**
   * Listens, the public listener last.
   * @throws ListenError when an address cannot be listened on; CodedError when keys cannot be fetched, or the directory
   * is needed and cannot be opened
   */
  async start(): Promise<void> {
    const { config, validator, admission, directory, health } = this.#state;
    await startedBy("JWKS_URL", validator.start());
    if (admission !== undefined) {
      await startedBy(`DATA_DIR (${join(config.dataDir, "directory.db")})`, directory.start());
    }
    await health.start();
    await this.#ops.listen();
    await this.#public.listen();
  }

  /** Ends in order: connections are told, closed over a time and at last cut off; then everything else is closed. */
  drain(): Promise<void> {
    const {
      drainGraceSecs: graceSecs,
      drainWindowSecs: windowSecs,
      drainDeadlineSecs: deadlineSecs,
    } = this.#state.config;
    return this.drainWithin({ graceSecs, windowSecs, deadlineSecs });
  }

  /** As `drain`, in other times than those of the configuration. A drain that has begun goes on as it is. */
  drainWithin(times: DrainTimes): Promise<void> {
    this.#draining ??= this.#drain(times);
    return this.#draining;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #drain(times: DrainTimes): Promise<void> {
    const { ws, logger } = this.#state;
    logger.info("drain_started", { connections: ws.connections.size });
    await ws.shutdown.drain(times, () => {
      this.#public.stop();
      logger.info("listener_closed", { connections: ws.connections.size });
    });
    await this.close();
    logger.info("drain_finished");
  }

  async #close(): Promise<void> {
    const { ws, health, admission, directory, validator } = this.#state;
    health.close();
    this.#ops.close();
    this.#public.close();
    await ws.close();
    await admission?.close();
    await directory.close();
    await validator.close();
  }
}

function report(error: CodedError, { clock, logger, randomness }: AppState): string {
  const errorId = randomness.uuid(clock.now());
  const fields = { error_id: errorId, error };
  if (error.code === "INTERNAL_ERROR") logger.error("route_failed", fields);
  else logger.info("route_refused", fields);
  return errorId;
}
