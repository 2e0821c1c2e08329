import { DbError } from "./db-error.ts";
import type { SqlChanges, SqlDatabase, SqlParameters, SqlResult, SqlRow } from "./sql-database.ts";

/** A database for as long as a lease lasts; after it every call fails with `DB_CLOSED`, so that none is used unseen. */
export class LeasedDatabase implements SqlDatabase {
  #database: SqlDatabase | undefined;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  exec(sql: string): void {
    this.#leased().exec(sql);
  }

  run(sql: string, parameters?: SqlParameters): SqlChanges {
    return this.#leased().run(sql, parameters);
  }

  get(sql: string, parameters?: SqlParameters): SqlRow | undefined {
    return this.#leased().get(sql, parameters);
  }

  all(sql: string, parameters?: SqlParameters): SqlRow[] {
    return this.#leased().all(sql, parameters);
  }

  transaction<T>(work: () => SqlResult<T>): T {
    return this.#leased().transaction<T>(work);
  }

  /** Ends the lease. */
  end(): void {
    this.#database = undefined;
  }

  #leased(): SqlDatabase {
    if (this.#database === undefined) throw DbError.leaseEnded();
    return this.#database;
  }
}
