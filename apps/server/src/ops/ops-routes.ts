import { expressConnectMiddleware } from "@connectrpc/connect-express";
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from "express";
import helmet from "helmet";
import { probeRoutes } from "../probe-routes.ts";
import { connectionPage } from "./connection-page.ts";
import { connectionJson } from "./connection-view.ts";
import { OpsInputError, statusOf } from "./ops-error.ts";
import type { OpsGuard, OpsRefusal } from "./ops-guard.ts";
import type { OpsPorts } from "./ops-ports.ts";
import type { OpsRpc } from "./ops-rpc.ts";
import { reportFailure } from "./report-failure.ts";

/** What the list of connections may be asked with. */
const PARAMETERS: readonly string[] = ["tenant", "user", "page_size", "cursor"];

/** What the operations listener answers over HTTP/1. All but the metrics and the probes is for whoever has the key. */
export function opsRoutes(guard: OpsGuard, rpc: OpsRpc, ports: OpsPorts): Express {
  const { registry } = ports;
  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  app.use(helmet());
  app.use(refusing(({ headers }) => guard.refuseHost(headers), ports));
  app.get("/metrics", async (_request, response) => {
    response.type(registry.contentType).send(await registry.metrics());
  });
  // Here they answer to the end, also when the public listener has closed.
  app.use(probeRoutes(ports.health));
  app.use(refusing(({ headers }) => guard.refuseKey(headers), ports));
  app.use(noStore);
  app.get("/health", tellHealth(ports));
  app.get("/connections", listConnections(ports));
  app.use(expressConnectMiddleware({ ...rpc }));
  app.use((_request, response) => {
    response.status(404).json({ code: "NOT_FOUND", message: "There is nothing here." });
  });
  app.use(failing(ports));
  return app;
}

/** Answers what may not pass. */
function refusing(refuse: (request: express.Request) => OpsRefusal | undefined, { logger }: OpsPorts): RequestHandler {
  return (request, response, next) => {
    const refusal = refuse(request);
    if (refusal === undefined) {
      next();
      return;
    }
    const { status, code, message } = refusal;
    logger.warn("operation_forbidden", { code, path: request.path, address: request.socket.remoteAddress });
    if (status === 401) response.set("WWW-Authenticate", "Bearer");
    response.status(status).json({ code, message });
  };
}

function tellHealth({ health }: OpsPorts): RequestHandler {
  return (_request, response) => {
    const details = health.details();
    response.status(details.status === "failed" ? 503 : 200).json(details);
  };
}

function listConnections({ ws }: OpsPorts): RequestHandler {
  return ({ query }, response) => {
    assertKnown(query);
    const { connections, nextCursor } = connectionPage(ws.connections, {
      tenantId: textOf(query["tenant"]),
      userId: textOf(query["user"]),
      pageSize: Number(textOf(query["page_size"])),
      cursor: textOf(query["cursor"]),
    });
    response.json({ connections: connections.map(connectionJson), next_cursor: nextCursor === "" ? null : nextCursor });
  };
}

/** A filter that is misspelt would list everybody. @throws OpsInputError */
function assertKnown(query: object): void {
  const unknown = Object.keys(query).find((name) => !PARAMETERS.includes(name));
  if (unknown === undefined) return;
  throw OpsInputError.of("query", `has ${JSON.stringify(unknown)}, expected only ${PARAMETERS.join(", ")}`);
}

const noStore: RequestHandler = (_request, response, next) => {
  response.set("Cache-Control", "no-store");
  next();
};

function failing(ports: OpsPorts): ErrorRequestHandler {
  return (error, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const failure = reportFailure(error, `${request.method} ${request.path}`, ports);
    const { code, message, field, errorId } = failure;
    response.status(statusOf(failure)).json({ code, message, field, error_id: errorId });
  };
}

/** A parameter that is given twice counts as given once, by its first value. */
function textOf(value: unknown): string {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === "string" ? first : "";
}
