import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");
const REFERENCE = readFileSync(join(ROOT, "docs/operations.md"), "utf8");
/** The server opens no tenant's database, and its routes are not guarded by the middleware. */
const NOT_OF_THE_SERVER = /^tenant_database_|^authentication_/;
const LOGGED =
  /(?:(?:logger|this)(?:\.(?<level>debug|info|warn|error)|\[level\])|(?<fault>onFault))\(\s*["`](?<event>[^"`$]+)(?<rest>\$\{operation\})?["`]/g;
const OPERATIONS = ["created", "updated", "suspended", "resumed"];

/** Every event that the code logs, with its levels. */
function loggedEvents(): Map<string, Set<string>> {
  const events = new Map<string, Set<string>>();
  const files = globSync("{packages/{core,auth,ws,db},apps/server}/src/**/*.ts", { cwd: ROOT });
  for (const file of files.filter((name) => !name.endsWith(".test.ts") && !name.includes("/testing/"))) {
    for (const { groups } of readFileSync(join(ROOT, file), "utf8").matchAll(LOGGED)) {
      const levels = groups?.["fault"] === undefined ? [groups?.["level"] ?? ["info", "error"]].flat() : ["error"];
      const names = groups?.["rest"] === undefined ? [""] : OPERATIONS;
      for (const name of names) {
        const event = `${groups?.["event"]}${name}`;
        events.set(event, new Set([...(events.get(event) ?? []), ...levels]));
      }
    }
  }
  return events;
}

it("given every event that is logged when its name is read then it is words in lower case, joined by underscores", () => {
  const odd = [...loggedEvents().keys()].filter((event) => !/^[a-z]+(?:_[a-z]+)+$/.test(event));
  expect(odd).toEqual([]);
});

it("given every event that is logged when the reference is read then it has a row with its levels", () => {
  const rows = [...REFERENCE.matchAll(/^\| `(?<event>[^`]+)` +\| (?<levels>(?:debug|info|warn|error)[a-z, ]*?) +\|/gm)];
  const documented = new Map(rows.map(({ groups }) => [groups?.["event"], new Set(groups?.["levels"]?.split(", "))]));

  const logged = [...loggedEvents()].filter(([event]) => !NOT_OF_THE_SERVER.test(event));
  expect(documented).toEqual(new Map(logged));
});
