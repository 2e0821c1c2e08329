/** What SQLite stores. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** Parameters by place (`?`) or by name (`:name`, given as `name`). */
export type SqlParameters = readonly SqlValue[] | Readonly<Record<string, SqlValue>>;

/** One row, by column. Integers beyond 2^53 are refused with `DB_STATEMENT`. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** What a writing statement did. */
export interface SqlChanges {
  /** Rows written or deleted. */
  readonly changes: number;
  /** The rowid of the last row inserted over this connection. */
  readonly lastRowId: number;
}

/** What synchronous work may return. A promise makes it a mistake that the compiler finds. */
export type SqlResult<T> = T extends PromiseLike<unknown> ? never : T;

/**
 * A database to work with. Every call is synchronous and holds the event loop until SQLite has answered, so keep
 * statements small and read in pages. A statement is prepared on first use and kept; give it a constant text, and the
 * values as parameters. All errors are `DbError`.
 */
export interface SqlDatabase {
  /** Runs one or more statements without parameters: for schemas. */
  exec(sql: string): void;
  /** Runs one statement that writes. */
  run(sql: string, parameters?: SqlParameters): SqlChanges;
  /** The first row of one statement; undefined when there is none. */
  get(sql: string, parameters?: SqlParameters): SqlRow | undefined;
  /** All rows of one statement. */
  all(sql: string, parameters?: SqlParameters): SqlRow[];
  /**
   * Runs `work` in one transaction: all of it is written, or, when it throws, nothing. `work` is synchronous, so that
   * no other user of the database gets between; transactions do not nest.
   */
  transaction<T>(work: () => SqlResult<T>): T;
}
