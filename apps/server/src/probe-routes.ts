import { Router } from "express";
import type { Health } from "./health/health.ts";

/** What says whether a process has to be restarted (`/live`), and whether it takes new clients (`/ready`). */
export function probeRoutes(health: Health): Router {
  const router = Router();
  router.get("/live", (_request, response) => {
    response.type("text").send("OK");
  });
  router.get("/ready", (_request, response) => {
    if (health.isReady()) response.type("text").send("Ready");
    else response.status(503).type("text").send("Not ready");
  });
  return router;
}
