import { silentLogger, systemClock } from "@pm/core";
import { describe, expect, it } from "vitest";
import { resolveRemoteKeySet } from "./remote-key-set-options.ts";

const URL_OF_KEYS = "https://id.example/keys";
const DAY_MS = 86_400_000;

describe("resolveRemoteKeySet", () => {
  it("given only a URL, when it is resolved, then the defaults are those of the documentation", () => {
    expect(resolveRemoteKeySet(URL_OF_KEYS)).toEqual({
      url: new URL(URL_OF_KEYS),
      minFetchIntervalMs: 60_000,
      maxAgeMs: 600_000,
      fetchTimeoutMs: 4000,
      maxKeySetBytes: 131_072,
      maxWaitingForKeys: 64,
      clock: systemClock,
      logger: silentLogger,
    });
  });

  it.each([
    ["minFetchIntervalMs", DAY_MS],
    ["maxAgeMs", DAY_MS],
    ["fetchTimeoutMs", DAY_MS],
    ["maxKeySetBytes", 1_048_576],
    ["maxWaitingForKeys", 10_000],
  ])("given %s outside of 1 to %d, when it is resolved, then it is refused by its name", (option, max) => {
    for (const good of [1, max]) {
      expect(resolveRemoteKeySet(URL_OF_KEYS, { [option]: good })).toMatchObject({ [option]: good });
    }
    for (const bad of [0, max + 1, 1.5]) {
      expect(() => resolveRemoteKeySet(URL_OF_KEYS, { [option]: bad })).toThrow(
        expect.objectContaining({ code: "INVALID_OPTION", field: option }),
      );
    }
  });
});
