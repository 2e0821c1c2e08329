import { parseTenantId } from "@pm/core";
import { type RequestHandler, Router } from "express";
import { type DemoPorts, demoRoutes } from "./demo-routes.ts";
import { onlyThisMachine } from "./only-this-machine.ts";
import { mintToken, type TokenSettings } from "./pmctl/mint-token.ts";

const TOKEN_TTL_SECS = 3600;
const MAX_USER_BYTES = 128;

/**
 * What a server in development gives to this machine and to nobody else: `GET /dev/token?tenant=acme&user=alice`, a
 * token that is good for an hour, where the key can sign, and the demo.
 */
export function developmentRoutes(settings: TokenSettings, ports: DemoPorts): Router {
  const router = Router();
  router.use("/dev", onlyThisMachine);
  if (settings.tokenKey.kind === "secret") router.get("/dev/token", giveToken(settings));
  router.use(demoRoutes(ports));
  return router;
}

function giveToken(settings: TokenSettings): RequestHandler {
  return async ({ query }, response) => {
    const { tenant, user = "demo" } = query;
    if (typeof user !== "string" || user === "" || Buffer.byteLength(user) > MAX_USER_BYTES) {
      response.status(400).json({ code: "INVALID_MESSAGE", message: "user is not 1 to 128 bytes", field: "user" });
      return;
    }
    const request = { tenant: parseTenantId(tenant), user, ttlSecs: TOKEN_TTL_SECS };
    response.set("Cache-Control", "no-store").json({ token: await mintToken(settings, request) });
  };
}
