import cors from "cors";
import express, { type ErrorRequestHandler, type Express, type Router } from "express";
import helmet from "helmet";
import { CodedError } from "@pm/core";
import { toClientError } from "@pm/proto";
import type { Health } from "./health/health.ts";
import { probeRoutes } from "./probe-routes.ts";

/** What the public routes are made of. */
export interface PublicRoutesOptions {
  readonly health: Health;
  readonly corsOrigins: readonly string[];
  /** Routes that only a server in development has. */
  readonly development?: Router | undefined;
  /** Logs what went wrong in a route, and gives the id by which the line is found. */
  readonly report: (error: CodedError) => string;
}

/**
 * The public routes beside the WebSocket: `/live`, `/ready`, `/health`. No other page may read them unless configured.
 */
export function publicRoutes({ health, corsOrigins, development, report }: PublicRoutesOptions): Express {
  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  app.use(helmet());
  if (corsOrigins.length > 0) app.use(cors({ origin: [...corsOrigins] }));
  app.use(probeRoutes(health));
  app.get("/health", (_request, response) => {
    const answer = health.report();
    response.status(answer.status === "failed" ? 503 : 200).json(answer);
  });
  if (development !== undefined) app.use(development);
  app.use((_request, response) => {
    response.status(404).json({ code: "NOT_FOUND", message: "There is nothing here." });
  });
  app.use(failing(report));
  return app;
}

/**
 * Nothing of the error reaches the client but its public code; a URL that cannot be decoded is the client's mistake.
 */
function failing(report: PublicRoutesOptions["report"]): ErrorRequestHandler {
  return (error, _request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const coded = codedErrorOf(error);
    const { code, message, field, errorId } = toClientError(coded, report(coded));
    response.status(code === "INVALID_MESSAGE" ? 400 : 500).json({ code, message, field, error_id: errorId });
  };
}

function codedErrorOf(error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  if (error instanceof URIError)
    return new CodedError("INVALID_MESSAGE", "the URL cannot be decoded", { field: "url" });
  return new CodedError("INTERNAL_ERROR", "a route failed", { cause: error });
}
