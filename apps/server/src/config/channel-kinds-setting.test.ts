import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ChannelKindsSetting, channelKinds } from "./channel-kinds-setting.ts";

function read(given: unknown): ChannelKindsSetting {
  return channelKinds.schema.parse(typeof given === "string" ? given : JSON.stringify(given));
}

function problems(given: unknown): string[] {
  const result = channelKinds.schema.safeParse(typeof given === "string" ? given : JSON.stringify(given));
  return (result.error?.issues ?? []).map(({ path, message }) => `${path.join(".")} ${message}`.trim());
}

describe("CHANNEL_KINDS", () => {
  it("given every field when it is read then each is taken as it is", () => {
    const project = {
      retainedCount: 10,
      retainedBytes: 4096,
      retainedSecs: 0.5,
      clientPublish: { roles: ["editor"] },
      lagPolicy: "latest",
      flushDelayMs: 5,
    };
    expect(read({ "*": { clientPublish: "deny" }, project })).toEqual({
      defaults: { clientPublish: "deny" },
      kinds: { project },
    });
  });

  it("given a kind named default or __proto__ when it is read then it is a kind like others", () => {
    const { kinds, defaults } = read('{"default": {"retainedCount": 1}, "__proto__": {"retainedCount": 2}}');
    expect(defaults).toEqual({});
    expect(Object.entries(kinds)).toEqual([
      ["default", { retainedCount: 1 }],
      ["__proto__", { retainedCount: 2 }],
    ]);
    expect(({} as { retainedCount?: number }).retainedCount).toBeUndefined();
  });

  it.each([
    [{ project: { retainedCount: 0 } }, ["project.retainedCount is wrong: too small: expected number to be >=1"]],
    [
      { project: { retainedCount: "5" } },
      ["project.retainedCount is wrong: invalid input: expected number, received string"],
    ],
    [{ project: { retainedCoun: 5 } }, ['project is wrong: unrecognized key: "retainedCoun"']],
    [{ project: 5 }, ["project is wrong: invalid input: expected object, received number"]],
    [{ project: { clientPublish: "some" } }, ['project.clientPublish is not "allow", "deny" or {"roles": ["…"]}']],
    [
      { project: { clientPublish: { roles: [""] } } },
      ["project.clientPublish.roles.0 is wrong: too small: expected string to have >=1 characters"],
    ],
    [{ "a:b": {} }, ['a:b is not a kind: 1 to 200 of A-Z a-z 0-9 _ - = @ , . ; / +, or "*" for every kind']],
    [[], ['"[]" cannot be read (ENOENT)']],
    ["{", ["is not JSON (at position 1)"]],
  ])("given %j when it is read then it says %j", (given, expected) => {
    expect(problems(given)).toEqual(expected);
  });

  it("given values at their bounds when they are read then they are taken, and none beyond", () => {
    const month = 30 * 86_400;
    const roles = Array.from({ length: 64 }, () => "r".repeat(128));
    const least = { retainedCount: 1, retainedBytes: 0, retainedSecs: 0, flushDelayMs: 0 };
    const most = { retainedCount: 10_000_000, retainedBytes: 2 ** 40, retainedSecs: month, flushDelayMs: 60_000 };
    const given = { least, most: { ...most, clientPublish: { roles } }, ["k".repeat(200)]: {} };
    expect(read(given).kinds).toEqual(given);
    const beyond = {
      below: { retainedCount: 0, retainedBytes: -1, retainedSecs: -0.001, flushDelayMs: -1 },
      above: {
        retainedCount: 10_000_001,
        retainedBytes: 2 ** 40 + 1,
        retainedSecs: month + 0.001,
        flushDelayMs: 60_001,
        clientPublish: { roles: [...roles, "one more"] },
      },
      long: { clientPublish: { roles: ["r".repeat(129)] } },
      ["k".repeat(201)]: {},
    };
    expect(problems(beyond).map((problem) => problem.split(" ", 1)[0])).toEqual([
      "below.retainedCount",
      "below.retainedBytes",
      "below.retainedSecs",
      "below.flushDelayMs",
      "above.retainedCount",
      "above.retainedBytes",
      "above.retainedSecs",
      "above.clientPublish",
      "above.flushDelayMs",
      "long.clientPublish.roles.0",
      "k".repeat(201),
    ]);
  });

  it("given a file of something else when it is read then nothing of it is told", () => {
    const folder = mkdtempSync(join(tmpdir(), "pm-kinds-"));
    const path = join(folder, "password");
    writeFileSync(path, "hunter2");
    expect(problems(path).join()).toMatch(/^is not JSON(?: \(at position \d+\))?$/);
    rmSync(folder, { recursive: true });
  });

  it("given many wrong fields when it is read then all are told", () => {
    const wrong = { "*": { lagPolicy: "none" }, a: { flushDelayMs: -1, retainedSecs: "x" }, "b:c": {} };
    expect(problems(wrong)).toHaveLength(4);
  });

  describe("in a file", () => {
    let folder: string;

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "pm-kinds-"));
    });

    afterEach(() => rmSync(folder, { recursive: true }));

    it("given a path when it is read then the file counts", () => {
      const path = join(folder, "kinds.json");
      writeFileSync(path, ' {"project": {"retainedCount": 7}}');
      expect(read(path).kinds).toEqual({ project: { retainedCount: 7 } });
      writeFileSync(path, "[]");
      expect(problems(path)).toEqual(["is JSON, but not an object"]);
    });
  });
});
