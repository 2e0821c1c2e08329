import { describe, expect, it } from "vitest";
import { readUniqueJson } from "./unique-json.ts";

const read = (text: string) => readUniqueJson(Buffer.from(text));

describe("readUniqueJson", () => {
  it("given an object in which each key occurs once, when it is read, then its value is there", () => {
    const text = String.raw`{ "a" : {"a":[{"a":1},{"a":"\",\"a\":"}]}, "b":"a" , "c":[":","a","a"]}`;
    expect(read(text)).toEqual({ kind: "value", value: JSON.parse(text) });
  });

  it.each([
    ["at the top", '{"a":1,"b":2,"a":1}'],
    ["after white space", '{"a":1,"a" \t\r\n:2}'],
    ["inside an object", '{"x":{"a":1,"a":2}}'],
    ["inside a list", '{"x":[{"b":{}},{"a":1,"a":2}]}'],
    ["escaped", String.raw`{"a":1,"\u0061":2}`],
    ["after a nested object", '{"a":{"b":1},"a":2}'],
    ["as __proto__", '{"__proto__":1,"__proto__":2}'],
  ])("given a key twice %s, when it is read, then it is refused", (_, text) => {
    expect(read(text)).toEqual({ kind: "refused", reason: "an object has a key twice" });
  });

  it("given __proto__ as a key, when it is read, then no prototype changes", () => {
    const json = read('{"__proto__":{"sub":"ada"}}');
    expect(json.kind === "value" && (json.value as Record<string, unknown>)["sub"]).toBeUndefined();
  });

  it.each(["", "{", '{"a":1,}', "NaN", "{'a':1}", "\uFEFF{}", '{"a":1}{"b":2}'])(
    "given %j, when it is read, then it is refused as not JSON",
    (text) => {
      expect(read(text)).toEqual({ kind: "refused", reason: "not JSON" });
    },
  );

  it("given bytes that are not UTF-8, when they are read, then they are refused", () => {
    expect(readUniqueJson(Uint8Array.of(0x22, 0xff, 0x22))).toEqual({ kind: "refused", reason: "not UTF-8" });
  });
});
