import { ConnectError, type ConnectRouter, type ConnectRouterOptions, type Interceptor } from "@connectrpc/connect";
import { OpsService } from "@pm/proto/ops";
import { bounded } from "./bounded-handler.ts";
import { connectionMethods } from "./connections.ts";
import { connectErrorOf } from "./ops-error.ts";
import type { OpsPorts } from "./ops-ports.ts";
import { publishMethods } from "./publish.ts";
import { reportFailure } from "./report-failure.ts";
import { tenantMethods } from "./tenants.ts";

/** The typed API in the form that the adapters of Connect take. */
export interface OpsRpc extends ConnectRouterOptions {
  readonly routes: (router: ConnectRouter) => void;
}

const MAX_TIMEOUT_MS = 60_000;

/** Makes the typed API. Compressed requests are refused: they would be larger than what is measured. */
export function opsRpc(ports: OpsPorts): OpsRpc {
  return {
    routes: (router) => {
      router.service(OpsService, { ...publishMethods(ports), ...connectionMethods(ports), ...tenantMethods(ports) });
      for (const [at, handler] of router.handlers.entries()) router.handlers[at] = bounded(handler, ports);
    },
    interceptors: [tellFailures(ports)],
    maxTimeoutMs: MAX_TIMEOUT_MS,
    acceptCompression: [],
    // A misspelt field is told: left out, it could stand for more than was meant.
    jsonOptions: { ignoreUnknownFields: false },
  };
}

/** Errors of Connect itself are about the request alone, and pass as they are. */
function tellFailures(ports: OpsPorts): Interceptor {
  return (next) => async (request) => {
    try {
      return await next(request);
    } catch (error) {
      if (error instanceof ConnectError) throw error;
      throw connectErrorOf(reportFailure(error, request.method.name, ports));
    }
  };
}
