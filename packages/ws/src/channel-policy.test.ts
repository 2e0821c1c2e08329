import {
  GRANT_ACTIONS,
  type GrantAction,
  parseChannelName,
  parseTenantId,
  TENANT_CHANNEL,
  type TenantContext,
  USER_CHANNEL,
} from "@pm/core";
import { describe, expect, test } from "vitest";
import { ChannelKinds } from "./channel-kinds.ts";
import { ChannelPolicy, resolveChannel } from "./channel-policy.ts";

const ROOM = parseChannelName("room:1");
const KINDS = new ChannelKinds({
  kinds: { news: { clientPublish: "deny" }, staff: { clientPublish: { roles: ["editor", "admin"] } } },
});
const allowing = new ChannelPolicy(KINDS, "allow");
const denying = new ChannelPolicy(KINDS, "deny");

function contextWith(fields: Partial<TenantContext> = {}): TenantContext {
  return { tenant: parseTenantId("t1"), user: "u1", roles: [], grants: undefined, expiresAtMs: 0, ...fields };
}

function granted(pattern: string, ...allow: readonly GrantAction[]): TenantContext {
  return contextWith({ grants: [{ pattern, allow }] });
}

function allowedOn(policy: ChannelPolicy, context: TenantContext, channel: string): GrantAction[] {
  return GRANT_ACTIONS.filter((action) => policy.may(action, context, parseChannelName(channel)));
}

describe("grants", () => {
  test("given a token that says nothing of channels, when it acts, then the configuration decides", () => {
    expect(allowedOn(allowing, contextWith(), ROOM)).toEqual(GRANT_ACTIONS);
    expect(allowedOn(denying, contextWith(), ROOM)).toEqual([]);
  });

  test.each(["allow", "deny"] as const)(
    "given a token with grants, when the default is %s, then only they count",
    (grants) => {
      const policy = new ChannelPolicy(KINDS, grants);
      expect(allowedOn(policy, granted("room:*", "subscribe", "history"), ROOM)).toEqual(["subscribe", "history"]);
      expect(allowedOn(policy, granted("room:*", "publish"), "other:1")).toEqual([]);
      expect(allowedOn(policy, contextWith({ grants: [] }), ROOM)).toEqual([]);
    },
  );

  test("given a refusal, when it is asserted, then PERMISSION_DENIED names the channel and what was tried", () => {
    const context = contextWith({ grants: [] });
    expect(() => denying.assertMay("history", context, ROOM)).toThrow(
      expect.objectContaining({
        code: "PERMISSION_DENIED",
        field: "room:1",
        message: "may not read the history of room:1",
      }),
    );
    expect(() => denying.assertMay("publish", context, ROOM)).toThrow("may not publish room:1");
    allowing.assertMay("publish", contextWith(), ROOM);
  });
});

describe("kinds", () => {
  test("given a kind that clients do not publish to, when one has a grant for it, then it may not all the same", () => {
    expect(allowedOn(allowing, granted("*", ...GRANT_ACTIONS), "news:1")).toEqual(["subscribe", "history"]);
  });

  test("given a kind for roles, when a client publishes, then it needs one of them, and the grant", () => {
    const editor = { roles: ["reader", "editor"] };
    expect(allowedOn(allowing, contextWith(editor), "staff:1")).toContain("publish");
    expect(allowedOn(allowing, contextWith({ roles: ["reader"] }), "staff:1")).not.toContain("publish");
    expect(allowedOn(allowing, contextWith({ ...editor, grants: [] }), "staff:1")).toEqual([]);
  });
});

describe("reserved channels", () => {
  test.each([TENANT_CHANNEL, USER_CHANNEL])(
    "given %s, when a client acts, then it may read and not publish",
    (name) => {
      expect(allowedOn(denying, contextWith({ grants: [] }), name)).toEqual(["subscribe", "history"]);
      expect(allowedOn(allowing, granted("*", ...GRANT_ACTIONS), name)).toEqual(["subscribe", "history"]);
    },
  );

  test("given the name user, when it is resolved, then it is the log of that user, and others are of the tenant", () => {
    const context = contextWith();
    expect(resolveChannel(context, USER_CHANNEL)).toEqual({ tenant: "t1", name: "user", user: "u1" });
    expect(resolveChannel(context, ROOM)).toEqual({ tenant: "t1", name: "room:1" });
    expect(resolveChannel(context, parseChannelName("user:2"))).toEqual({ tenant: "t1", name: "user:2" });
  });
});

test.each([TENANT_CHANNEL, USER_CHANNEL])(
  "given a kind that lets clients publish to %s, when one has no grant for that, then it may read and nothing else",
  (channel) => {
    const policy = new ChannelPolicy(new ChannelKinds({ kinds: { [channel]: { clientPublish: "allow" } } }), "deny");
    expect(allowedOn(policy, granted("*", "publish"), channel)).toEqual(GRANT_ACTIONS);
    for (const context of [contextWith(), granted("room:*", "publish"), granted("*", "subscribe")]) {
      expect(allowedOn(policy, context, channel)).not.toContain("publish");
    }
  },
);
