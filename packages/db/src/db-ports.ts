import type { Clock, Logger } from "@pm/core";

/** What databases need from outside. */
export interface DbPorts {
  readonly clock: Clock;
  readonly logger: Logger;
}
