import { parseTenantId } from "@pm/core";
import { type RequestHandler, Router } from "express";
import { isLoopback } from "./config/listen-address.ts";
import { isLoopbackHost } from "./listener/loopback-host.ts";
import { mintToken, type TokenSettings } from "./pmctl/mint-token.ts";

/** Headers that a proxy adds: whoever is behind it is not on this machine. */
const PROXY_HEADERS = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
const TOKEN_TTL_SECS = 3600;
const MAX_USER_BYTES = 128;

/**
 * What a server in development gives to this machine and to nobody else: `GET /dev/token?tenant=acme&user=alice`, a
 * token that is good for an hour.
 */
export function developmentRoutes(settings: TokenSettings): Router {
  const router = Router();
  router.use("/dev", onlyThisMachine);
  router.get("/dev/token", async ({ query }, response) => {
    const { tenant, user = "demo" } = query;
    if (typeof user !== "string" || user === "" || Buffer.byteLength(user) > MAX_USER_BYTES || !user.isWellFormed()) {
      response.status(400).json({ code: "INVALID_MESSAGE", message: "user is not 1 to 128 bytes", field: "user" });
      return;
    }
    const request = { tenant: parseTenantId(tenant), user, ttlSecs: TOKEN_TTL_SECS };
    response.set("Cache-Control", "no-store").json({ token: await mintToken(settings, request) });
  });
  return router;
}

const onlyThisMachine: RequestHandler = (request, response, next) => {
  const address = request.socket.remoteAddress ?? "";
  const isProxied = PROXY_HEADERS.some((name) => request.headers[name] !== undefined);
  if (isLoopback({ host: address, port: 0 }) && !isProxied && isLoopbackHost(request.headers.host)) next();
  else response.status(404).json({ code: "NOT_FOUND", message: "There is nothing here." });
};
