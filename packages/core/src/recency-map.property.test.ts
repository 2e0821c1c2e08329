import * as fc from "fast-check";
import { expect, it } from "vitest";
import { RecencyMap } from "./recency-map.ts";

const operations = fc.array(fc.tuple(fc.constantFrom("get", "set", "delete"), fc.nat(6).map(String)), {
  maxLength: 80,
});

it("given any operations, when they are done, then the map is as a list that is sorted by last use", () => {
  fc.assert(
    fc.property(operations, (done) => {
      const map = new RecencyMap<number>();
      let list: [string, number][] = [];
      done.forEach(([operation, key], step) => {
        const known = list.find(([each]) => each === key);
        const others = list.filter((each) => each !== known);
        if (operation === "get") {
          expect(map.get(key)).toBe(known?.[1]);
          list = known === undefined ? others : [...others, known];
        } else if (operation === "set") {
          map.set(key, step);
          list = [...others, [key, step]];
        } else {
          expect(map.delete(key)).toBe(known?.[1]);
          list = others;
        }
        expect(map.size).toBe(list.length);
        expect([map.oldest?.key, map.oldest?.value]).toEqual(list[0] ?? [undefined, undefined]);
        expect([...map.values()]).toEqual(list.map(([, value]) => value));
      });
      for (const [key] of list) {
        expect(map.oldest?.key).toBe(key);
        map.delete(key);
      }
      expect(map.oldest).toBeUndefined();
    }),
  );
});

it("given values that are deleted while they are at hand, when all are listed, then none is left out", () => {
  const map = new RecencyMap<string>();
  for (const key of ["a", "b", "c", "d"]) map.set(key, key);
  const listed: string[] = [];
  for (const value of map.values()) {
    listed.push(value);
    if (value !== "c") map.delete(value);
  }
  expect([listed, [...map.values()]]).toEqual([["a", "b", "c", "d"], ["c"]]);
});
