import type { ServiceImpl } from "@connectrpc/connect";
import { parseTenantId } from "@pm/core";
import type { DisconnectRequest, OpsService } from "@pm/proto/ops";
import { userId } from "./checked-text.ts";
import { connectionPage } from "./connection-page.ts";
import { connectionInfo } from "./connection-view.ts";
import { OpsInputError } from "./ops-error.ts";
import type { OpsPorts } from "./ops-ports.ts";

type ConnectionMethods = Pick<ServiceImpl<typeof OpsService>, "listConnections" | "disconnect">;

/** Who is connected to this process, and ending that. */
export function connectionMethods({ ws, logger }: OpsPorts): ConnectionMethods {
  return {
    async listConnections(query) {
      const { connections, nextCursor } = connectionPage(ws.connections, query);
      return { connections: connections.map(connectionInfo), nextCursor };
    },

    async disconnect(request) {
      const tenant = parseTenantId(request.tenantId);
      const user = disconnectedUser(request);
      const disconnected = ws.disconnect(tenant, user);
      logger.info("connections_disconnected", { tenant_id: tenant, user_id: user, connections: disconnected });
      return { disconnected };
    },
  };
}

/** Undefined: everybody, which has to be said. */
function disconnectedUser(request: DisconnectRequest): string | undefined {
  const isWhole = request.wholeTenant !== undefined;
  if (isWhole === (request.userId !== undefined)) {
    throw OpsInputError.of("target", isWhole ? "is both: give one" : "is missing: give user_id or whole_tenant");
  }
  return request.userId === undefined ? undefined : userId(request.userId);
}
