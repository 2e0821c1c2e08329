import { ConnectError, type ConnectRouter, type ConnectRouterOptions, type Interceptor } from "@connectrpc/connect";
import { OpsService } from "@pm/proto/ops";
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

/** A batch of the largest size that makes sense: base64 makes bytes a third longer, and there is more than payloads. */
const LEAST_BODY_BYTES = 8 * 1024 * 1024;
const MAX_TIMEOUT_MS = 60_000;

/** Makes the typed API. Compressed requests are refused: they would be larger than what is measured. */
export function opsRpc(ports: OpsPorts): OpsRpc {
  return {
    routes: (router) => {
      router.service(OpsService, { ...publishMethods(ports), ...connectionMethods(ports), ...tenantMethods(ports) });
    },
    interceptors: [tellFailures(ports)],
    readMaxBytes: Math.max(LEAST_BODY_BYTES, 2 * ports.ws.options.maxMessageBytes),
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
