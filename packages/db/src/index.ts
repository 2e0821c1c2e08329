// For applications.
export type { DbPorts } from "./db-ports.ts";
export type { DbErrorCode } from "./db-error.ts";
export { DbError } from "./db-error.ts";
export type { Migration } from "./migration.ts";
export type { SqlChanges, SqlDatabase, SqlParameters, SqlResult, SqlRow, SqlValue } from "./sql-database.ts";
export type { TenantConnectionCounts } from "./tenant-connection-manager.ts";
export { TenantConnectionManager } from "./tenant-connection-manager.ts";
export type { TenantConnectionOptions } from "./tenant-connection-options.ts";
export type { TenantChange, TenantChangeListener, Unsubscribe } from "./tenant-change.ts";
export { TenantDirectory } from "./tenant-directory.ts";
export type { TenantDirectoryOptions } from "./tenant-directory-options.ts";
export type { TenantErrorCode } from "./tenant-error.ts";
export { TenantError } from "./tenant-error.ts";
export { TenantLookup } from "./tenant-lookup.ts";
export type { TenantLookupOptions } from "./tenant-lookup-options.ts";
export type { TenantListOptions, TenantPage } from "./tenant-page.ts";
export type { TenantLimits, TenantRecord, TenantState } from "./tenant-record.ts";
export type { TenantSettings, TenantUpdate } from "./tenant-settings.ts";

// For authors of adapters.
export { tenantFolder } from "./tenant-folder.ts";
export type { TenantSource } from "./tenant-source.ts";
