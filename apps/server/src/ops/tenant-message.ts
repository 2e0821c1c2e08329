import type { TenantListOptions, TenantRecord, TenantUpdate } from "@pm/db";
import { type Tenant, type TenantLimits, TenantSetting, TenantState, type UpdateTenantRequest } from "@pm/proto/ops";
import { OpsInputError } from "./ops-error.ts";

/** A tenant as the typed API tells it. */
export function tenantMessage(record: TenantRecord): TenantInit {
  const { maxConnections, publicationsPerSec, bytesPerSec, maxChannels } = record.limits;
  return {
    id: record.tenant,
    state: record.state === "active" ? TenantState.ACTIVE : TenantState.SUSPENDED,
    displayName: record.displayName ?? "",
    limits: {
      maxConnections,
      publicationsPerSec,
      bytesPerSec: bytesPerSec === undefined ? undefined : BigInt(bytesPerSec),
      maxChannels,
    },
    createdAtMs: BigInt(record.createdAtMs),
    updatedAtMs: BigInt(record.updatedAtMs),
  };
}

type TenantInit = Omit<Tenant, "$typeName" | "limits"> & { readonly limits: Omit<TenantLimits, "$typeName"> };

/** The limits of a message as the directory takes them; what is too large for a number is refused there. */
export function limitsOf(message: TenantLimits | undefined): NonNullable<TenantRecord["limits"]> {
  const { maxConnections, publicationsPerSec, bytesPerSec, maxChannels } = message ?? {};
  return {
    maxConnections,
    publicationsPerSec,
    bytesPerSec: bytesPerSec === undefined ? undefined : Number(bytesPerSec),
    maxChannels,
  };
}

/** @throws OpsInputError for a setting that is given and cleared at once, or not known */
export function updateOf({ displayName, limits, clear }: UpdateTenantRequest): TenantUpdate {
  const given = { displayName, ...limitsOf(limits) };
  const cleared: { [Name in keyof typeof given]?: null } = {};
  for (const setting of clear) {
    const name = SETTINGS.get(setting);
    if (name === undefined) throw OpsInputError.of("clear", `has ${setting}, which is no setting`);
    if (given[name] !== undefined) throw OpsInputError.of("clear", `has ${name}, which is given as well`);
    cleared[name] = null;
  }
  const { displayName: name = displayName, ...limitsCleared } = cleared;
  return { displayName: name, limits: { ...limitsOf(limits), ...limitsCleared } };
}

/** @throws OpsInputError for a state that is not known */
export function stateFilterOf(state: TenantState): TenantListOptions["state"] {
  switch (state) {
    case TenantState.UNSPECIFIED:
      return undefined;
    case TenantState.ACTIVE:
      return "active";
    case TenantState.SUSPENDED:
      return "suspended";
    default:
      throw OpsInputError.of("state", `is ${state}, which is no state`);
  }
}

type SettingName = "displayName" | "maxConnections" | "publicationsPerSec" | "bytesPerSec" | "maxChannels";

const SETTINGS: ReadonlyMap<TenantSetting, SettingName> = new Map([
  [TenantSetting.DISPLAY_NAME, "displayName"],
  [TenantSetting.MAX_CONNECTIONS, "maxConnections"],
  [TenantSetting.PUBLICATIONS_PER_SEC, "publicationsPerSec"],
  [TenantSetting.BYTES_PER_SEC, "bytesPerSec"],
  [TenantSetting.MAX_CHANNELS, "maxChannels"],
] as const);
