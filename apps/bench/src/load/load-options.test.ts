import { describe, expect, it } from "vitest";
import { readLoadOptions } from "./load-options.ts";

const URL_FLAG = ["--url", "ws://127.0.0.1:3000/ws"];

describe("readLoadOptions", () => {
  it("given an address and a secret, when they are read, then the rest has defaults", () => {
    expect(readLoadOptions(URL_FLAG, { PM_TOKEN_SECRET: "s" })).toMatchObject({
      url: "ws://127.0.0.1:3000/ws",
      tokens: { secret: "s", tenant: "load" },
      subscribers: 100,
      publishers: 1,
      idle: 0,
      cutsPerSec: 0,
    });
  });

  it("given more connections than clients, when they are read, then the rest is idle", () => {
    const flags = [
      ...URL_FLAG,
      "--token-secret",
      "s",
      "--connections",
      "30",
      "--subscribers",
      "20",
      "--publishers",
      "4",
    ];
    expect(readLoadOptions(flags, {}).idle).toBe(6);
  });

  it("given connections and no subscribers, when they are read, then all that do not publish read", () => {
    const flags = [...URL_FLAG, "--token-secret", "s", "--connections", "20", "--publishers", "4"];
    expect(readLoadOptions(flags, {})).toMatchObject({ subscribers: 16, publishers: 4, idle: 0 });
  });
});
