import type { RequestHandler } from "express";
import { isLoopback } from "./config/listen-address.ts";
import { isLoopbackHost } from "./listener/loopback-host.ts";

/** Headers that a proxy adds: whoever is behind it is not on this machine. */
const PROXY_HEADERS = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/** Lets through requests that this machine makes to itself, under one of its own names; for others nothing is there. */
export const onlyThisMachine: RequestHandler = (request, response, next) => {
  const address = request.socket.remoteAddress ?? "";
  const isProxied = PROXY_HEADERS.some((name) => request.headers[name] !== undefined);
  if (isLoopback({ host: address, port: 0 }) && !isProxied && isLoopbackHost(request.headers.host)) next();
  else response.status(404).json({ code: "NOT_FOUND", message: "There is nothing here." });
};
