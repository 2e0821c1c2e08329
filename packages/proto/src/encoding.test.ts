import { describe, expect, it } from "vitest";
import { BEARER_SUBPROTOCOL_PREFIX, encodingOf, SUBPROTOCOLS } from "./encoding.ts";

describe("encodingOf", () => {
  it("given the subprotocols of pm.v1, when their encoding is asked, then it is found", () => {
    expect(encodingOf(SUBPROTOCOLS.proto)).toBe("proto");
    expect(encodingOf(SUBPROTOCOLS.json)).toBe("json");
  });

  it.each(["", "pm.v1", "PM.V1.JSON", "pm.v1.json ", "pm.v2.proto", "toString", `${BEARER_SUBPROTOCOL_PREFIX}a.b.c`])(
    "given %j, when its encoding is asked, then there is none",
    (subprotocol) => {
      expect(encodingOf(subprotocol)).toBeUndefined();
    },
  );
});
