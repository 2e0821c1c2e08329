import { describe, expect, it } from "vitest";
import { channelKey, channelKind, isChannelName, parseChannelName, TENANT_CHANNEL, USER_CHANNEL } from "./channel.ts";
import { NameError } from "./name-error.ts";
import { parseTenantId } from "./tenant-id.ts";

describe("parseChannelName", () => {
  it.each(["a", "project:42", ":", "AZaz09_-=@,.;:/+", "x".repeat(200), "tenant", "user", "__proto__"])(
    "given %j, when it is parsed, then it is taken as it stands",
    (text) => {
      expect(parseChannelName(text)).toBe(text);
      expect(isChannelName(text)).toBe(true);
    },
  );

  it.each([
    ["nothing", ""],
    ["201 characters", "x".repeat(201)],
    ["a space", "project 42"],
    ["a line end", "project:42\n"],
    ["a star", "project:*"],
    ["braces", "{project}"],
    ["a hash", "project#42"],
    ["NUL", "project\0"],
    ["a fullwidth colon", "project：42"],
    ["a lone surrogate", "project:\udfff"],
  ])("given a string with %s, when it is parsed, then it is refused", (_, text) => {
    expect(isChannelName(text)).toBe(false);
    expect(() => parseChannelName(text)).toThrow(expect.objectContaining({ code: "INVALID_NAME", field: "channel" }));
  });

  it("given no string, when it is parsed, then it is refused", () => {
    expect(() => parseChannelName(42)).toThrow(NameError);
  });

  it("given the reserved names, when they are parsed, then they are in the grammar", () => {
    expect(parseChannelName(TENANT_CHANNEL)).toBe("tenant");
    expect(parseChannelName(USER_CHANNEL)).toBe("user");
  });
});

describe("channelKind", () => {
  it.each([
    ["project:42", "project"],
    ["project:42:tasks", "project"],
    ["project", "project"],
    [":42", ""],
    ["project:", "project"],
  ])("given %j, when its kind is asked, then it is %j", (name, kind) => {
    expect(channelKind(parseChannelName(name))).toBe(kind);
  });
});

describe("channelKey", () => {
  const tenant = parseTenantId("acme");
  const name = parseChannelName("project/42");

  it("given a channel, when its key is made, then tenant and name are in it", () => {
    expect(channelKey({ tenant, name })).toBe("acme/project/42");
  });

  it("given the channel of a user with an empty id, when its key is made, then it is not that of no user", () => {
    expect(channelKey({ tenant, name: USER_CHANNEL, user: "" })).not.toBe(channelKey({ tenant, name: USER_CHANNEL }));
  });

  it("given names that would meet without care, when their keys are made, then they differ", () => {
    const a = channelKey({ tenant: parseTenantId("a"), name: parseChannelName("b/c") });
    const b = channelKey({ tenant: parseTenantId("a"), name: parseChannelName("b"), user: "c" });
    const c = channelKey({ tenant: parseTenantId("a"), name: parseChannelName("b/c"), user: "" });
    expect(new Set([a, b, c]).size).toBe(3);
  });
});
