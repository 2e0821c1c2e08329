import cors from "cors";
import express, { type Express } from "express";
import helmet from "helmet";
import type { Health } from "./health.ts";

/** The public routes beside the WebSocket: `/live`, `/ready`, `/health`. */
export function publicRoutes(options: { readonly health: Health; readonly corsOrigins: readonly string[] }): Express {
  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  app.use(helmet());
  if (options.corsOrigins.length > 0) app.use(cors({ origin: [...options.corsOrigins] }));
  const { health } = options;
  app.get("/live", (_request, response) => {
    response.type("text").send("OK");
  });
  app.get("/ready", (_request, response) => {
    if (health.isReady()) response.type("text").send("Ready");
    else response.status(503).type("text").send("Not ready");
  });
  app.get("/health", (_request, response) => {
    const report = health.report();
    response.status(report.status === "failed" ? 503 : 200).json(report);
  });
  app.use((_request, response) => {
    response.status(404).json({ code: "NOT_FOUND", message: "There is nothing here." });
  });
  return app;
}
