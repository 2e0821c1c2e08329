import { describe, expect, it } from "vitest";
import { PROFILE_NAMES } from "../profile/catalog.ts";
import { readBenchOptions } from "./bench-options.ts";

describe("readBenchOptions", () => {
  it("given nothing, when it is read, then all profiles run at full size in three rounds", () => {
    expect(readBenchOptions([])).toMatchObject({ size: "full", rounds: 3, profiles: PROFILE_NAMES, json: undefined });
  });

  it("given flags, when they are read, then they hold", () => {
    const options = readBenchOptions(["--quick", "--profile", "echo", "fairness", "--rounds", "2", "--json", "a.json"]);
    expect(options).toMatchObject({ size: "quick", rounds: 2, profiles: ["echo", "fairness"], json: "a.json" });
    expect(readBenchOptions(["--quick"]).rounds).toBe(1);
  });
});
