import type { Dialect, ServerKind } from "./dialect.ts";
import { plainWsDialect } from "./plain-ws-dialect.ts";
import { pmDialect } from "./pm-dialect.ts";
import { socketIoDialect } from "./socket-io-dialect.ts";

/** How each server is spoken to. */
export const DIALECTS: Readonly<Record<ServerKind, Dialect>> = {
  ws: plainWsDialect,
  "socket.io": socketIoDialect,
  pm: pmDialect,
};
