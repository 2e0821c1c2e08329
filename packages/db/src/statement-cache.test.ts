import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { StatementCache } from "./statement-cache.ts";

describe("StatementCache", () => {
  it("given a statement that was used, when it is asked for again, then it is the same one", () => {
    using native = new DatabaseSync(":memory:");
    const cache = new StatementCache((sql) => native.prepare(sql));
    expect(cache.get("SELECT 1")).toBe(cache.get("SELECT 1"));
    expect(cache.get("SELECT 2")).not.toBe(cache.get("SELECT 1"));
  });

  it("given more texts than it keeps, when one of the first was used in between, then that one is still kept", () => {
    using native = new DatabaseSync(":memory:");
    const cache = new StatementCache((sql) => native.prepare(sql));
    const [kept, dropped] = [cache.get("SELECT 'kept'"), cache.get("SELECT 'dropped'")];
    for (let i = 0; i < 98; i++) cache.get(`SELECT ${i}`);
    cache.get("SELECT 'kept'");
    cache.get("SELECT 'one more'");
    expect(cache.size).toBe(100);
    expect(cache.get("SELECT 'kept'")).toBe(kept);
    expect(cache.get("SELECT 'dropped'")).not.toBe(dropped);
  });
});
