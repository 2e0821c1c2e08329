import { parseTenantId, type TenantId } from "@pm/core";
import type { ConnectionFilter } from "@pm/ws";
import { userId } from "./checked-text.ts";
import { OpsInputError } from "./ops-error.ts";
import { pageSizeOf } from "./page-size.ts";

/** Which connections, as they are asked for; an empty text is none. */
export interface ConnectionQuery {
  readonly tenantId: string;
  readonly userId: string;
  readonly pageSize: number;
  readonly cursor: string;
}

/** Where connections are looked up: the registry. */
export interface ConnectionSource<Connection> {
  find(filter: ConnectionFilter): Iterable<Connection>;
}

/** Some of the connections, the oldest first. */
export interface ConnectionPage<Connection> {
  readonly connections: readonly Connection[];
  /** Empty on the last page. */
  readonly nextCursor: string;
}

/** An id of a connection: a UUID, in base64url of its 16 bytes. */
const CURSOR = /^[A-Za-z0-9_-]{22}$/;

/**
 * One page of who is connected. Ids are ordered by time, so a connection that is there from the first page to the last
 * is on exactly one, whatever comes and goes.
 * @throws OpsInputError, or NameError for what is not a tenant
 */
export function connectionPage<Connection extends { readonly id: string }>(
  source: ConnectionSource<Connection>,
  query: ConnectionQuery,
): ConnectionPage<Connection> {
  const size = pageSizeOf(query.pageSize);
  const after = idOf(query.cursor);
  const tenant: TenantId | undefined = query.tenantId === "" ? undefined : parseTenantId(query.tenantId);
  const user = query.userId === "" ? undefined : userId(query.userId);
  const found = [...source.find({ tenant, user })].filter(({ id }) => id > after);
  const connections = found.toSorted((a, b) => (a.id < b.id ? -1 : 1)).slice(0, size);
  const last = connections.at(-1);
  return { connections, nextCursor: last === undefined || found.length <= size ? "" : cursorOf(last.id) };
}

function cursorOf(id: string): string {
  return Buffer.from(id.replaceAll("-", ""), "hex").toString("base64url");
}

function idOf(cursor: string): string {
  if (cursor === "") return "";
  if (!CURSOR.test(cursor)) throw OpsInputError.of("cursor", "is no cursor of this list");
  const hex = Buffer.from(cursor, "base64url").toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
