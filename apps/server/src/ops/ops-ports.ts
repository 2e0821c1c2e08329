import type { Clock, Logger, Randomness } from "@pm/core";
import type { TenantDirectory } from "@pm/db";
import type { WsServer } from "@pm/ws";
import type { Registry } from "prom-client";
import type { ServerHealth } from "../health/server-health.ts";
import type { TenantAdmission } from "../tenants/tenant-admission.ts";

/** What the operations API works with. */
export interface OpsPorts {
  readonly ws: WsServer;
  /** May not be open yet: `start` it before use. */
  readonly directory: TenantDirectory;
  /** Undefined: every tenant of a valid token may connect. */
  readonly admission: TenantAdmission | undefined;
  readonly health: ServerHealth;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly randomness: Randomness;
}
