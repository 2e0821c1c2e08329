import type { Migration } from "./migration.ts";

/** Changes that the directory remembers for those who poll; who is further behind is told `reset`. */
export const REMEMBERED_CHANGES = 10_000;

/**
 * The tables of `directory.db`. The table is the judge of what may stand in it, and triggers note every change, so that
 * a change made with any tool reaches the servers.
 */
export const DIRECTORY_MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: "tenants and their changes",
    up: `
      CREATE TABLE tenants (
        tenant_id TEXT PRIMARY KEY
          CHECK (length(tenant_id) <= 128 AND tenant_id GLOB '[A-Za-z0-9]*' AND tenant_id NOT GLOB '*[^A-Za-z0-9._-]*'),
        state TEXT NOT NULL CHECK (state IN ('active', 'suspended')),
        display_name TEXT,
        max_connections INTEGER CHECK (max_connections BETWEEN 1 AND 9007199254740991),
        publications_per_sec INTEGER CHECK (publications_per_sec BETWEEN 0 AND 9007199254740991),
        bytes_per_sec INTEGER CHECK (bytes_per_sec BETWEEN 0 AND 9007199254740991),
        max_channels INTEGER CHECK (max_channels BETWEEN 1 AND 9007199254740991),
        created_at_ms INTEGER NOT NULL,
        updated_at_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE tenant_changes (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        tenant_id TEXT NOT NULL
      ) STRICT;

      CREATE TRIGGER tenant_inserted AFTER INSERT ON tenants BEGIN
        INSERT INTO tenant_changes (tenant_id) VALUES (NEW.tenant_id);
      END;
      CREATE TRIGGER tenant_updated AFTER UPDATE ON tenants BEGIN
        INSERT INTO tenant_changes (tenant_id) VALUES (NEW.tenant_id);
        INSERT INTO tenant_changes (tenant_id) SELECT OLD.tenant_id WHERE OLD.tenant_id <> NEW.tenant_id;
      END;
      CREATE TRIGGER tenant_deleted AFTER DELETE ON tenants BEGIN
        INSERT INTO tenant_changes (tenant_id) VALUES (OLD.tenant_id);
      END;
      CREATE TRIGGER tenant_changes_bounded AFTER INSERT ON tenant_changes BEGIN
        DELETE FROM tenant_changes WHERE seq <= NEW.seq - ${REMEMBERED_CHANGES};
      END;
    `,
  },
];
