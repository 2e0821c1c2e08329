import { describe, expect, it } from "vitest";
import * as core from "./index.ts";
import * as testing from "./testing/index.ts";

describe("the public index", () => {
  it("given the package, when it is imported, then it exports exactly its documented values", () => {
    expect(Object.keys(core).toSorted()).toEqual([
      "CodedError",
      "GRANT_ACTIONS",
      "NameError",
      "RecencyMap",
      "StringCache",
      "SystemRandomness",
      "TENANT_CHANNEL",
      "TurnClock",
      "USER_CHANNEL",
      "channelKey",
      "channelKind",
      "isChannelName",
      "isGranted",
      "isTenantId",
      "matchesPattern",
      "nameInTenant",
      "parseChannelName",
      "parseErrorLocation",
      "parseTenantId",
      "silentLogger",
      "sleep",
      "systemClock",
      "timeOfUuid",
    ]);
    expect(Object.keys(testing).toSorted()).toEqual(["ManualClock", "RecordingLogger"]);
  });
});
