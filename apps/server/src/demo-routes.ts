import { join } from "node:path";
import { type Clock, type Logger, parseChannelName, parseTenantId, sleep, type TenantId } from "@pm/core";
import type { WsServer } from "@pm/ws";
import express, { type RequestHandler, Router } from "express";
import { contentSecurityPolicy, crossOriginEmbedderPolicy } from "helmet";
import type { ChannelKindSettings, ChannelKindsSetting } from "./config/channel-kinds-setting.ts";
import { onlyThisMachine } from "./only-this-machine.ts";

/** What the demo needs of the server. */
export interface DemoPorts {
  readonly ws: WsServer;
  readonly clock: Clock;
  readonly logger: Logger;
}

const PAGE = join(import.meta.dirname, "../../demo/dist");
const TENANTS: readonly TenantId[] = ["acme", "globex"].map(parseTenantId);
const BOARD = "board:main";
const TRAFFIC = "traffic:main";

/** A flood: 2000 publications of 1 KiB a second. */
const FLOOD = { secs: 5, everyMs: 10, atOnce: 20, payload: JSON.stringify({ filler: "x".repeat(1000) }) };

/** Boards are kept longer than what passes by; nobody starts with an empty one after a break. */
const BOARD_KIND: ChannelKindSettings = { retainedCount: 10_000, retainedBytes: 8_388_608, retainedSecs: 7 * 86_400 };

/** The kinds of a server with the demo: those that are configured, and `board` unless it is one of them. */
export function withDemoKinds({ defaults, kinds }: ChannelKindsSetting): ChannelKindsSetting {
  return { defaults, kinds: { board: BOARD_KIND, ...kinds } };
}

/**
 * The demo, for this machine alone: its page at `/demo/`, `POST /demo/pulse`, which publishes to both tenants and
 * answers where their logs end, and `POST /demo/flood?tenant=globex`, which publishes to one for five seconds.
 */
export function demoRoutes(ports: DemoPorts): Router {
  const router = Router();
  const floods = new Set<TenantId>();
  router.use("/demo", onlyThisMachine, contentSecurity);
  router.post(["/demo/pulse", "/demo/flood"], onlyItsOwnPage);
  router.post("/demo/pulse", async (_request, response) => {
    const tops = await Promise.all(TENANTS.map(async (tenant) => [tenant, await pulse(tenant, ports.ws)]));
    response.set("Cache-Control", "no-store").json(Object.fromEntries(tops));
  });
  router.post("/demo/flood", ({ query }, response) => {
    const tenant = TENANTS.find((known) => known === query["tenant"]);
    if (tenant === undefined) {
      response.status(400).json({ code: "INVALID_MESSAGE", message: "tenant is not one of the demo", field: "tenant" });
      return;
    }
    if (!floods.has(tenant)) {
      floods.add(tenant);
      void flood(tenant, ports).finally(() => floods.delete(tenant));
    }
    response.status(202).json({ seconds: FLOOD.secs });
  });
  router.use("/demo", express.static(PAGE));
  return router;
}

/** Publishes once, and tells the offsets at which the logs of a tenant end. */
async function pulse(tenant: TenantId, ws: WsServer): Promise<Record<string, number>> {
  const name = parseChannelName(BOARD);
  const last = { from: Number.MAX_SAFE_INTEGER, direction: "backward", maxCount: 1, maxBytes: 1 } as const;
  const [{ position }, { top }] = await Promise.all([
    ws.publish({ tenant, channel: TRAFFIC }, { event: "pulse" }),
    ws.broker.read({ tenant, name }, last),
  ]);
  return { traffic: position.offset, board: top.offset };
}

async function flood(tenant: TenantId, { ws, clock, logger }: DemoPorts): Promise<void> {
  const until = clock.monotonic() + FLOOD.secs * 1000;
  const request = { event: "flood", payload: FLOOD.payload };
  try {
    while (clock.monotonic() < until) {
      const publishes = Array.from({ length: FLOOD.atOnce }, () => ws.publish({ tenant, channel: TRAFFIC }, request));
      await Promise.all([...publishes, sleep(clock, FLOOD.everyMs)]);
    }
  } catch (error) {
    logger.info("demo_flood_ended", { tenant_id: tenant, error });
  }
}

/** Pages of others may send a POST without asking; it then names another origin. */
const onlyItsOwnPage: RequestHandler = ({ headers }, response, next) => {
  if (headers.origin === `http://${headers.host}`) next();
  else response.status(403).json({ code: "PERMISSION_DENIED", message: "Only the page of the demo may ask for this." });
};

/**
 * The page runs its own scripts and reaches its own server; its worker blocks on shared memory, which needs isolation.
 */
const contentSecurity: RequestHandler[] = [
  contentSecurityPolicy({
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      workerSrc: ["'self'"],
      connectSrc: ["'self'", ({ headers }) => `ws://${headers.host}`],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  }),
  crossOriginEmbedderPolicy(),
];
