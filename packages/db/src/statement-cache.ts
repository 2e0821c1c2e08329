import type { StatementSync } from "node:sqlite";

/** Statements that one connection keeps prepared. */
const MAX_STATEMENTS = 100;

/** Prepared statements by their text, the least recently used given up first. */
export class StatementCache {
  readonly #prepare: (sql: string) => StatementSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(prepare: (sql: string) => StatementSync) {
    this.#prepare = prepare;
  }

  get size(): number {
    return this.#statements.size;
  }

  get(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#prepare(sql);
    this.#statements.delete(sql);
    this.#statements.set(sql, statement);
    if (this.#statements.size > MAX_STATEMENTS) this.#dropOldest();
    return statement;
  }

  clear(): void {
    this.#statements.clear();
  }

  #dropOldest(): void {
    const oldest = this.#statements.keys().next();
    if (oldest.done !== true) this.#statements.delete(oldest.value);
  }
}
