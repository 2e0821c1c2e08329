import { parseChannelName, parseTenantId } from "@pm/core";
import { RecoveryMiss } from "@pm/proto";
import { expect, it } from "vitest";
import { printViolation } from "./print-violation.ts";

it("given a violation, when it is printed, then each event of its trail is a line", () => {
  const log = { tenant: parseTenantId("t1"), name: parseChannelName("room:1") };
  const position = { epoch: "0123456789", offset: 7, check: 255 };
  const text = printViolation({
    kind: "missed-count",
    reader: "r",
    message: "1 are said to be missed, it is 2",
    trail: [
      { kind: "connected", reader: "r" },
      { kind: "lagged", reader: "r", log, position, missedCount: 1, reason: RecoveryMiss.RETENTION },
    ],
  });
  expect(text).toBe(
    [
      "missed-count (r): 1 are said to be missed, it is 2",
      "  connected",
      "  lagged log=t1/room:1 position=012345/7#ff missedCount=1 reason=2",
    ].join("\n"),
  );
});
