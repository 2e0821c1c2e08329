import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SystemRandomness, timeOfUuid } from "../src/randomness.ts";

const UUID_V7 = /^(?<time>[0-9a-f]{8}-[0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("SystemRandomness", () => {
  const random = new SystemRandomness();

  it("given any time of 48 bits, when a uuid is made, then it is a version 7 of that time", () => {
    fc.assert(
      fc.property(
        // The last millisecond and a part of it would be rounded up to 2^48.
        fc.integer({ min: 0, max: 2 ** 48 - 2 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (ms, part) => {
          const uuid = random.uuid(ms + part);
          const time = UUID_V7.exec(uuid)?.groups?.["time"];
          expect(Number.parseInt((time ?? "").replace("-", ""), 16)).toBe(Math.floor(ms + part));
          expect(timeOfUuid(uuid)).toBe(Math.floor(ms + part));
        },
      ),
    );
  });

  it("given two times, when a uuid of each is made, then they sort as the times do", () => {
    const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
    fc.assert(
      fc.property(time, time, (a, b) => {
        fc.pre(a !== b);
        expect(random.uuid(a) < random.uuid(b)).toBe(a < b);
      }),
    );
  });

  it("given any order of calls, when numbers and ids are drawn, then each is in its form and none comes twice", () => {
    const call = fc.constantFrom("tag", "id", "uuid");
    fc.assert(
      fc.property(fc.array(call, { maxLength: 300 }), (calls) => {
        const drawn = calls
          .filter((name) => name !== "tag")
          .map((name) => (name === "id" ? random.id() : random.uuid(0)));
        expect(new Set(drawn).size).toBe(drawn.length);
        for (const tag of calls.filter((name) => name === "tag").map(() => random.tag())) {
          expect(Number.isInteger(tag) && tag >= 1 && tag <= 2 ** 31 - 1).toBe(true);
        }
      }),
    );
  });
});
