import { parseChannelName, TENANT_CHANNEL, USER_CHANNEL } from "@pm/core";
import { expect, test } from "vitest";
import { type ChannelKind, type ChannelKindOptions, ChannelKinds } from "./channel-kinds.ts";
import { channelRef } from "./testing/broker-contract/broker-fixture.ts";

function kindOf(kinds: ChannelKinds, name: string): ChannelKind {
  return kinds.of(parseChannelName(name));
}

test("given no settings, when a channel is looked up, then it has the defaults", () => {
  expect(kindOf(new ChannelKinds(), "room:1")).toEqual({
    name: "",
    retention: { count: 1000, bytes: 1_048_576, ageMs: 300_000 },
    clientPublish: "allow",
    lagPolicy: "recover",
    flushDelayMs: 0,
  });
});

test("given settings of a kind, when its channels are looked up, then they are put over the defaults", () => {
  const kinds = new ChannelKinds({
    defaults: { retainedCount: 5, lagPolicy: "latest" },
    kinds: { ticker: { retainedSecs: 1.5, flushDelayMs: 20 } },
  });
  expect(kindOf(kinds, "ticker:1:2")).toMatchObject({
    name: "ticker",
    retention: { count: 5, ageMs: 1500 },
    lagPolicy: "latest",
    flushDelayMs: 20,
  });
  expect(kindOf(kinds, "ticker")).toBe(kindOf(kinds, "ticker:1"));
  expect(kindOf(kinds, "tickers:1")).toMatchObject({ name: "", flushDelayMs: 0, lagPolicy: "latest" });
  expect(kinds.retentionOf(channelRef("ticker:1"))).toMatchObject({ count: 5, ageMs: 1500 });
});

test.each([TENANT_CHANNEL, USER_CHANNEL])("given %s, when it is looked up, then clients may not publish", (name) => {
  const defaults: ChannelKindOptions = { clientPublish: "allow", retainedCount: 7 };
  expect(new ChannelKinds({ defaults }).of(name)).toMatchObject({ clientPublish: "deny", retention: { count: 7 } });
  const opened = new ChannelKinds({ kinds: { [name]: { clientPublish: "allow" } } });
  expect(opened.of(name).clientPublish).toBe("allow");
});

test("given a channel that begins like a reserved one, when it is looked up, then it is one like any other", () => {
  expect(kindOf(new ChannelKinds(), "user:42").clientPublish).toBe("allow");
  expect(kindOf(new ChannelKinds(), "tenant:42").clientPublish).toBe("allow");
});

test.each([
  ["retainedCount", 0, 1],
  ["retainedBytes", -1, 0],
  ["retainedSecs", Number.NaN, 0],
  ["flushDelayMs", Number.POSITIVE_INFINITY, 0],
] as const)("given %s of %d, when it is resolved, then it is refused by name", (field, value, least) => {
  const problem = `channel kind "room": ${field} is ${value} (at least ${least})`;
  expect(() => new ChannelKinds({ kinds: { room: { [field]: value } } })).toThrow(new RangeError(problem));
});
