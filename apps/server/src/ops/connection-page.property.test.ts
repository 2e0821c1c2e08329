import { SystemRandomness } from "@pm/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { connectionPage } from "./connection-page.ts";

interface Listed {
  readonly id: string;
}

const randomness = new SystemRandomness();
/** Few milliseconds, so that many ids are of the same one. */
const connection = fc.nat(3).map((ms): Listed => ({ id: randomness.uuid(1_700_000_000_000 + ms) }));

describe("laws of the pages of connections", () => {
  it("given connections that come and go between pages, when all pages are read, then each that stayed is on exactly one, in order", () => {
    const between = fc.array(fc.record({ comes: connection, goes: fc.nat(20) }), { maxLength: 3 });
    fc.assert(
      fc.property(
        fc.array(connection, { maxLength: 30 }),
        fc.infiniteStream(between),
        fc.integer({ min: 1, max: 7 }),
        (first, changes, pageSize) => {
          const present = new Set(first);
          const stayed = new Set(first);
          const seen: string[] = [];
          let cursor = "";
          // What comes is bounded, so that the last page is reached.
          for (let pages = 0; pages < 50; pages += 1) {
            const page = connectionPage({ find: () => present }, { tenantId: "", userId: "", pageSize, cursor });
            expect(page.connections.length).toBeLessThanOrEqual(pageSize);
            seen.push(...page.connections.map(({ id }) => id));
            cursor = page.nextCursor;
            if (cursor === "") break;
            for (const { comes, goes } of pages < 10 ? changes.next().value : []) {
              const gone = [...present][goes];
              if (gone !== undefined) {
                present.delete(gone);
                stayed.delete(gone);
              }
              present.add(comes);
            }
          }
          expect(cursor).toBe("");
          expect(seen).toEqual([...new Set(seen)].toSorted());
          expect(seen).toEqual(expect.arrayContaining(Array.from(stayed, ({ id }) => id)));
        },
      ),
    );
  });

  it("given any text as a cursor, when a page is asked for, then it is read or refused with the field, and nothing else", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (cursor) => {
        try {
          connectionPage({ find: () => [] }, { tenantId: "", userId: "", pageSize: 0, cursor });
        } catch (error) {
          expect(error).toMatchObject({ code: "INVALID_MESSAGE", field: "cursor" });
        }
      }),
    );
  });
});
