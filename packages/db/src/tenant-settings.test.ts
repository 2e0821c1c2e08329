import { describe, expect, it } from "vitest";
import { coded } from "../test/coded.ts";
import { updatedSettings } from "./tenant-settings.ts";

describe("updatedSettings", () => {
  const current = { displayName: "Acme", limits: { maxConnections: 10, bytesPerSec: 0 } };

  it("given an update, when it is made, then undefined leaves, a value sets and null takes away", () => {
    expect(updatedSettings(current, {})).toEqual(current);
    expect(updatedSettings(current, { displayName: null, limits: { maxConnections: null, maxChannels: 5 } })).toEqual({
      displayName: undefined,
      limits: { bytesPerSec: 0, maxChannels: 5 },
    });
    expect(updatedSettings(current, { displayName: "Acme Ltd", limits: { bytesPerSec: undefined } })).toEqual({
      displayName: "Acme Ltd",
      limits: { maxConnections: 10, bytesPerSec: 0 },
    });
  });

  it.each([
    ["max_connections", { limits: { maxConnections: 0 } }],
    ["max_connections", { limits: { maxConnections: 1.5 } }],
    ["max_connections", { limits: { maxConnections: 2 ** 32 } }],
    ["publications_per_sec", { limits: { publicationsPerSec: -1 } }],
    ["publications_per_sec", { limits: { publicationsPerSec: 2 ** 32 } }],
    ["bytes_per_sec", { limits: { bytesPerSec: 2 ** 53 } }],
    ["bytes_per_sec", { limits: { bytesPerSec: Number.NaN } }],
    ["max_channels", { limits: { maxChannels: 0 } }],
    ["max_channels", { limits: { maxChannels: 2 ** 32 } }],
    ["display_name", { displayName: "" }],
    ["display_name", { displayName: "x".repeat(201) }],
    ["display_name", { displayName: "two\r\nlines" }],
    ["display_name", { displayName: "\u001b[31mred" }],
    ["display_name", { displayName: "right\u202eto left" }],
    ["display_name", { displayName: "half \ud800 a letter" }],
    ["display_name", { displayName: "two\u2028lines" }],
    ["display_name", { displayName: "two\u2029paragraphs" }],
  ])("given %s out of its range as in %j, when it is made, then the field is named", (field, update) => {
    expect(() => updatedSettings(current, update)).toThrow(coded("INVALID_MESSAGE", { field }));
  });

  it("given the largest limits, when they are set, then they are kept", () => {
    const limits = { maxConnections: 2 ** 32 - 1, publicationsPerSec: 2 ** 32 - 1, bytesPerSec: 2 ** 53 - 1 };
    expect(updatedSettings({ limits: {} }, { limits }).limits).toEqual(limits);
  });

  it("given a limit with a misspelt name, when it is set, then it is refused rather than none", () => {
    const inherited = { toString: 5 } as object;
    expect(() => updatedSettings({ limits: {} }, { limits: inherited })).toThrow(coded("INVALID_MESSAGE"));
    const limits = { maxConnection: 5 } as object;
    expect(() => updatedSettings({ limits: {} }, { limits })).toThrow(
      coded("INVALID_MESSAGE", {
        field: "limits",
        message: 'limits "maxConnection" is not one of maxConnections, publicationsPerSec, bytesPerSec, maxChannels',
      }),
    );
  });

  it("given names in any script, when they are set, then they are kept as they are", () => {
    for (const displayName of ["Ærø & Søn", "株式会社", "شرکت می\u200cخواهم", "Acme 👩\u200d🔧", "x".repeat(200)]) {
      expect(updatedSettings({ limits: {} }, { displayName }).displayName).toBe(displayName);
    }
  });
});
