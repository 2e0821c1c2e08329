import type { ServiceImpl } from "@connectrpc/connect";
import { parseTenantId, type TenantId } from "@pm/core";
import { type TenantDirectory, TenantError, type TenantRecord } from "@pm/db";
import type { OpsService } from "@pm/proto/ops";
import type { OpsPorts } from "./ops-ports.ts";
import { pageSizeOf } from "./page-size.ts";
import { limitsOf, stateFilterOf, tenantMessage, updateOf } from "./tenant-message.ts";

type TenantMethods = Pick<
  ServiceImpl<typeof OpsService>,
  "createTenant" | "getTenant" | "listTenants" | "updateTenant" | "suspendTenant" | "resumeTenant" | "deleteTenant"
>;

/** Milliseconds after which the directory has been read again. */
const RETRY_AFTER_MS = 1000;

/** The tenants of the directory, which is opened when it is first used. */
export function tenantMethods({ directory, admission, logger }: OpsPorts): TenantMethods {
  const enforced = admission !== undefined;
  /**
   * Nobody is to be told that a tenant is out while this server could not hear of it: it hears of it at a later poll.
   */
  const assertTold = async (tenant: TenantId): Promise<void> => {
    if (!enforced) return;
    await directory.check().catch((cause: unknown) => {
      throw TenantError.unavailable(
        `the change of ${tenant} is written, and could not be told yet`,
        RETRY_AFTER_MS,
        cause,
      );
    });
  };
  const change = async (
    operation: "created" | "updated" | "suspended" | "resumed",
    tenantId: string,
    make: (opened: TenantDirectory, tenant: TenantId) => Promise<TenantRecord>,
  ) => {
    const tenant = parseTenantId(tenantId);
    await directory.start();
    const record = await make(directory, tenant);
    logger.info(`tenant_${operation}`, { tenant_id: tenant, state: record.state, limits: record.limits });
    return { tenant: tenantMessage(record) };
  };
  return {
    createTenant: ({ tenantId, displayName, limits }) =>
      change("created", tenantId, (opened, tenant) =>
        opened.create(tenant, { displayName: displayName === "" ? undefined : displayName, limits: limitsOf(limits) }),
      ),
    updateTenant: (request) =>
      change("updated", request.tenantId, (opened, tenant) => opened.update(tenant, updateOf(request))),
    async suspendTenant({ tenantId }) {
      const { tenant } = await change("suspended", tenantId, (opened, id) => opened.suspend(id));
      await assertTold(parseTenantId(tenantId));
      return { tenant, enforced };
    },
    resumeTenant: ({ tenantId }) => change("resumed", tenantId, (opened, tenant) => opened.resume(tenant)),

    async getTenant({ tenantId }) {
      const tenant = parseTenantId(tenantId);
      await directory.start();
      return { tenant: tenantMessage(await directory.get(tenant)) };
    },

    async listTenants({ state, pageSize, cursor }) {
      const options = {
        state: stateFilterOf(state),
        limit: pageSizeOf(pageSize),
        cursor: cursor === "" ? undefined : cursor,
      };
      await directory.start();
      const { tenants, nextCursor = "" } = await directory.list(options);
      return { tenants: tenants.map(tenantMessage), nextCursor };
    },

    async deleteTenant({ tenantId }) {
      const tenant = parseTenantId(tenantId);
      await directory.start();
      await directory.delete(tenant);
      logger.info("tenant_deleted", { tenant_id: tenant });
      await assertTold(tenant);
      return { enforced };
    },
  };
}
