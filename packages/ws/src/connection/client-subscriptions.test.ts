import { parseChannelName, parseTenantId, TENANT_CHANNEL } from "@pm/core";
import { expect, test } from "vitest";
import { ChannelKinds } from "../channel-kinds.ts";
import { type Reader, type SubscribedChannel, Subscription } from "../fanout/subscription.ts";
import { channelRef } from "../testing/broker-contract/broker-fixture.ts";
import { ClientSubscriptions } from "./client-subscriptions.ts";
import { Outbox } from "./outbox.ts";

const ORIGIN = { epoch: "e1", offset: 0, check: 0 };

const READER: Reader = {
  id: "reader",
  context: { tenant: parseTenantId("t1"), user: "ada", roles: [], grants: undefined, expiresAtMs: 0 },
  encoding: "proto",
  outbox: new Outbox({
    encoding: "proto",
    socket: { writableLength: 0, writableHighWaterMark: 0, writableCorked: 0, write: () => true },
    limits: { highWaterBytes: 1, maxReplyBytes: 1, maxReplies: 1 },
    owner: { onDirty: () => undefined, onReplyOverflow: () => undefined },
  }),
  catchUp: { add: () => undefined },
  send: () => undefined,
  onTooSlow: () => undefined,
};

function subscriptionTo(name: string): Subscription {
  const ref = channelRef(name);
  const channel: SubscribedChannel = {
    ref,
    kind: new ChannelKinds().of(ref.name),
    top: ORIGIN,
    verify: () => undefined,
    join: () => true,
    end: () => undefined,
  };
  return new Subscription(READER, channel, ORIGIN);
}

test("given a connection, when it subscribes to the tenant-wide channel, then that takes no slot", () => {
  const subscriptions = new ClientSubscriptions();
  const tenant = subscriptionTo(TENANT_CHANNEL);
  subscriptions.add(tenant);
  expect(subscriptions.size).toBe(0);
  expect(subscriptions.get(TENANT_CHANNEL)).toBe(tenant);
  expect([...subscriptions]).toEqual([tenant]);
  expect(subscriptions.delete(TENANT_CHANNEL)).toBe(tenant);
  expect(subscriptions.get(TENANT_CHANNEL)).toBeUndefined();
});

test.each([1, 8, 9, 40])("given %i channels, when they are looked up and deleted, then each is itself", (count) => {
  const subscriptions = new ClientSubscriptions();
  const all = Array.from({ length: count }, (_, index) => subscriptionTo(`c${index}`));
  for (const [index, subscription] of all.entries()) {
    subscriptions.add(subscription);
    expect(subscriptions.size).toBe(index + 1);
  }
  expect([...subscriptions]).toEqual(all);
  for (const subscription of all) expect(subscriptions.get(subscription.channel.ref.name)).toBe(subscription);
  for (const [index, subscription] of all.entries()) {
    expect(subscriptions.delete(subscription.channel.ref.name)).toBe(subscription);
    expect(subscriptions.get(subscription.channel.ref.name)).toBeUndefined();
    expect(subscriptions.size).toBe(count - index - 1);
  }
  expect([...subscriptions]).toEqual([]);
});

test.each([0, 3, 12])("given %i other channels, when an unknown one is deleted, then nothing changes", (count) => {
  const subscriptions = new ClientSubscriptions();
  for (let i = 0; i < count; i++) subscriptions.add(subscriptionTo(`c${i}`));
  expect(subscriptions.delete(parseChannelName("unknown"))).toBeUndefined();
  expect(subscriptions.size).toBe(count);
});
