import { describe, expect, it } from "vitest";
import { payloadOf } from "./publish-payload.ts";

describe("payloadOf", () => {
  it.each(['{"a":1}', "12", '"text"', "null", " [1]\n"])(
    "given %j when it is taken as it is then it is JSON",
    (text) => {
      expect(payloadOf(Buffer.from(text), "auto")).toEqual({ kind: { case: "json", value: text.trim() } });
    },
  );

  it.each(["hello", "{", "", " \n"])("given %j when it is taken as it is then it is bytes, unchanged", (text) => {
    expect(payloadOf(Buffer.from(text), "auto")).toEqual({ kind: { case: "data", value: Buffer.from(text) } });
  });

  it("given a form when it is taken as that then it is that or refused", () => {
    expect(payloadOf(Buffer.from("12"), "bytes")).toEqual({ kind: { case: "data", value: Buffer.from("12") } });
    expect(() => payloadOf(Buffer.from([0xff]), "json")).toThrow("the payload is not JSON");
  });
});
