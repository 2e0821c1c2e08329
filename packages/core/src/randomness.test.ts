import { afterEach, describe, expect, it, vi } from "vitest";
import { SystemRandomness } from "./randomness.ts";

/** Has the machine draw each block as told. */
function drawing(...blocks: ((block: Uint8Array) => Uint8Array)[]): void {
  const spy = vi.spyOn(crypto, "getRandomValues");
  for (const fill of blocks) spy.mockImplementationOnce((block) => (fill(block as unknown as Uint8Array), block));
}

describe("SystemRandomness", () => {
  afterEach(() => vi.restoreAllMocks());

  const random = new SystemRandomness();

  it("given many ids, when they are read as base64url, then each is 16 bytes in canonical form and none comes twice", () => {
    const ids = Array.from({ length: 2000 }, () => random.id());
    for (const id of ids) {
      expect(id).toMatch(/^[A-Za-z0-9_-]{22}$/);
      expect(Buffer.from(id, "base64url")).toHaveLength(16);
      expect(Buffer.from(id, "base64url").toString("base64url")).toBe(id);
    }
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("given many tags, when they are looked at, then none is 0 and each of the 31 bits is seen as 0 and as 1", () => {
    const tags = Array.from({ length: 2000 }, () => random.tag());
    let and = 0x7fffffff;
    let or = 0;
    for (const tag of tags) {
      expect(tag).toBeGreaterThan(0);
      and &= tag;
      or |= tag;
    }
    expect([and, or]).toEqual([0, 0x7fffffff]);
  });

  it("given the example time of RFC 9562, A.6, when a uuid is made, then its first 48 bits are that time", () => {
    expect(random.uuid(0x017f22e279b0)).toMatch(/^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("given many uuids of one moment, when they are compared, then none comes twice", () => {
    const uuids = Array.from({ length: 2000 }, () => random.uuid(1_700_000_000_000));
    expect(new Set(uuids).size).toBe(uuids.length);
  });

  it("given the bytes that the machine draws, when numbers and ids are made of them, then none is used twice", () => {
    drawing((block) => block.map((_, i) => (block[i] = i)));
    const source = new SystemRandomness();
    expect(source.id()).toBe("ABCDEFGHIJKLMNOPQRSTUQ");
    expect(source.id()).toMatch(/^WXYZabc/);
    expect(source.tag()).toBe(0x2f2e2d2c >>> 1);
    expect(source.uuid(0)).toBe("00000000-0000-7031-b233-343536373839");
    expect(source.id()).toMatch(/^6789-_ABC/);
  });

  it("given blocks that end inside an id, when more is drawn, then no id is made of less than it should", () => {
    drawing(...Array.from({ length: 20 }, () => (block: Uint8Array) => block.fill(0xff)));
    const source = new SystemRandomness();
    for (let i = 0; i < 1000; i++) {
      expect([source.id(), source.tag()]).toEqual([`${"_".repeat(21)}w`, 0x7fffffff]);
      expect(source.uuid(0)).toBe("00000000-0000-7fff-bfff-ffffffffffff");
    }
  });

  it("given a machine that draws nothing but zeros at first, when a tag is made, then it is not 0", () => {
    drawing((block) => block.fill(0));
    expect(new SystemRandomness().tag()).toBeGreaterThan(0);
  });

  it("given two sources, when they draw, then they draw different things", () => {
    expect(random.id()).not.toBe(new SystemRandomness().id());
  });
});
