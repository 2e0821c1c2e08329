import type { ChannelRef, TenantId } from "@pm/core";
import { parseChannelName } from "@pm/core";
import type { TenantDirectory } from "@pm/db";
import type { Broker, WsServer } from "@pm/ws";
import { EventLoop } from "./event-loop.ts";
import { Health } from "./health.ts";
import { memory } from "./memory.ts";
import { Probe, type ProbePorts } from "./probe.ts";
import { connections, drain } from "./process-subsystems.ts";
import type { Subsystem, WatchedSubsystem } from "./subsystem.ts";

/** What the health of a server is made of. */
export interface ServerHealthParts {
  readonly ws: WsServer;
  /** Undefined where the configuration does without it. */
  readonly directory: TenantDirectory | undefined;
}

/** A channel that no token reaches, since its tenant is outside of the grammar. */
const PROBED_CHANNEL: ChannelRef = { tenant: "-health" as TenantId, name: parseChannelName("probe") };

/** The health of the whole server: every part that can fail, watched from the start to the close. */
export class ServerHealth extends Health {
  readonly #watched: readonly WatchedSubsystem[];

  constructor({ ws, directory }: ServerHealthParts, ports: ProbePorts) {
    const eventLoop = new EventLoop(ports.clock);
    const broker = new Probe({ name: "broker", ask: () => readProbed(ws.broker), otherwise: "failed" }, ports);
    const watched: WatchedSubsystem[] = [eventLoop, broker];
    let tenants: Subsystem = TENANTS_OFF;
    if (directory !== undefined) {
      const probe = new Probe({ name: TENANTS, ask: () => directory.check(), otherwise: "failed" }, ports);
      watched.push(probe);
      tenants = probe;
    }
    super([eventLoop, memory(), connections(ws), broker, tenants, drain(ws)], () => ws.shutdown.phase);
    this.#watched = watched;
  }

  async start(): Promise<void> {
    await Promise.all(this.#watched.map((subsystem) => subsystem.start()));
  }

  close(): void {
    for (const subsystem of this.#watched) subsystem.close();
  }
}

const TENANTS = "tenant_directory";
const TENANTS_OFF: Subsystem = { name: TENANTS, report: () => ({ state: "off", numbers: {} }) };

/** A whole round trip to the log, which changes nothing. */
async function readProbed(broker: Broker): Promise<void> {
  await broker.read(PROBED_CHANNEL, { from: 0, direction: "forward", maxCount: 1, maxBytes: 1024 });
}
