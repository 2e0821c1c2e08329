import { type ChannelName, type ChannelRef, TENANT_CHANNEL } from "@pm/core";
import { RecoveryMiss } from "@pm/proto";
import { resolveChannel } from "../channel-policy.ts";
import type { ConnectionPorts } from "../connection/connection-ports.ts";
import type { WebSocketConnection } from "../connection/websocket-connection.ts";
import type { LiveChannel } from "../fanout/live-channel.ts";
import { type SubscribedChannel, Subscription } from "../fanout/subscription.ts";
import type { Broker } from "../log/broker.ts";
import { judgeForward } from "../log/log-cursor.ts";
import type { StreamPosition } from "../log/stream-position.ts";
import { WsError } from "../ws-error.ts";
import type { SubscribeCommand } from "./command.ts";
import type { ReplyBody } from "../wire/reply-encoder.ts";
import { positionMessage, type Reply } from "./reply.ts";

/** Where a subscription begins, and what its client is told about that. */
interface Start {
  /** Delivery continues after it. */
  readonly position: StreamPosition;
  readonly top: StreamPosition;
  readonly recovered: boolean;
  readonly miss: RecoveryMiss;
  readonly missedCount: number;
}

/**
 * Subscribes, or moves the cursor of a subscription. There are three answers and no other: delivery begins where it was
 * asked to, it continues after `since`, or the client is told what it missed.
 * @throws WsError `PERMISSION_DENIED`, `LIMIT_EXCEEDED`, `UNAVAILABLE`
 */
export async function handleSubscribe(
  connection: WebSocketConnection,
  command: SubscribeCommand,
  ports: ConnectionPorts,
): Promise<Reply> {
  assertMaySubscribe(connection, command, ports);
  const existing = connection.subscriptions.get(command.channel);
  if (existing !== undefined) return resubscribe(connection, existing, { command, ports });
  const giveBack = takeSlot(connection, command, ports);
  let channel: LiveChannel | undefined;
  try {
    const acquired = await ports.broadcaster.acquire(resolveChannel(connection.context, command.channel));
    channel = acquired;
    const start = await startOf(acquired, command, {
      broker: ports.broker,
      readsBack: mayReadBack(connection, command, ports),
    });
    return subscribed(command, start, () => {
      giveBack();
      begin(connection, acquired, { start, ports });
    });
  } catch (error) {
    giveBack();
    if (channel !== undefined) ports.broadcaster.release(channel);
    throw error;
  }
}

/** Takes a slot for a subscription on its way, so that many in one frame cannot pass the limit together. */
function takeSlot(
  { subscriptions }: WebSocketConnection,
  command: SubscribeCommand,
  ports: ConnectionPorts,
): () => void {
  if (command.channel === TENANT_CHANNEL) return () => undefined;
  const { maxSubscriptions } = ports.options;
  const taken = subscriptions.size + subscriptions.onTheirWay;
  if (taken >= maxSubscriptions) throw WsError.subscriptionLimit(taken, maxSubscriptions);
  subscriptions.onTheirWay++;
  return () => {
    subscriptions.onTheirWay--;
  };
}

function assertMaySubscribe(connection: WebSocketConnection, command: SubscribeCommand, ports: ConnectionPorts): void {
  const { context } = connection;
  ports.policy.assertMay("subscribe", context, command.channel);
  const readsHistory = command.rewind > 0 || (command.since !== undefined && command.since.check === 0);
  // Offset 0 of a log that nobody can name is no history: a position always comes from one that was seen.
  if (readsHistory) ports.policy.assertMay("history", context, command.channel);
}

async function resubscribe(
  connection: WebSocketConnection,
  existing: Subscription,
  { command, ports }: { readonly command: SubscribeCommand; readonly ports: ConnectionPorts },
): Promise<Reply> {
  // Read when the answer is made, not before: what is delivered until then is before the answer.
  if (command.since === undefined) {
    const body = (): ReplyBody => subscribedBody(command, currentPosition(existing));
    return { body, afterQueued: () => void isStillSubscribed(connection, existing) };
  }
  const readsBack = mayReadBack(connection, command, ports);
  const start = await startOf(existing.channel, command, { broker: ports.broker, readsBack });
  return subscribed(command, start, () => {
    if (!isStillSubscribed(connection, existing)) return;
    existing.moveTo(start.position);
    existing.reader.catchUp.add(existing);
  });
}

/** False, and its client told, when it has ended while its answer was made. */
function isStillSubscribed(connection: WebSocketConnection, { index, channel }: Subscription): boolean {
  if (index >= 0) return true;
  endDenied(connection, channel.ref.name);
  return false;
}

function currentPosition({ position, channel }: Subscription): Start {
  const { top } = channel;
  const isBelow = top.epoch !== position.epoch || top.offset < position.offset;
  const start = { recovered: false, miss: RecoveryMiss.UNSPECIFIED, missedCount: 0 };
  return { ...start, position, top: isBelow ? position : top };
}

/** The token was replaced meanwhile, by one that does not allow it. */
function endDenied(connection: WebSocketConnection, channel: ChannelName): void {
  connection.send({ case: "unsubscribed", value: { channel, code: "PERMISSION_DENIED" } });
}

function begin(
  connection: WebSocketConnection,
  channel: LiveChannel,
  { start, ports }: { readonly start: Start; readonly ports: ConnectionPorts },
): void {
  if (connection.closing !== undefined) {
    ports.broadcaster.release(channel);
    return;
  }
  const { name } = channel.ref;
  if (!ports.policy.may("subscribe", connection.context, name)) {
    ports.broadcaster.release(channel);
    endDenied(connection, name);
    return;
  }
  const subscription = new Subscription(connection, channel, start.position);
  connection.subscribe(subscription);
  channel.add(subscription);
}

/**
 * The tag of a position is compared only where the log still has one: whoever makes a position up may not read back.
 */
function mayReadBack({ context }: WebSocketConnection, command: SubscribeCommand, ports: ConnectionPorts): boolean {
  return ports.policy.may("history", context, command.channel);
}

/** What a start is read from, and whether it may be before the top without a position that is still in the log. */
interface StartPorts {
  readonly broker: Broker;
  readonly readsBack: boolean;
}

async function startOf(channel: SubscribedChannel, command: SubscribeCommand, ports: StartPorts): Promise<Start> {
  const { broker } = ports;
  if (command.since !== undefined) return continueAfter(channel, command.since, ports);
  const { top } = channel;
  const { rewind } = command;
  const start = rewind === 0 ? { position: top, top } : await rewindFrom(channel.ref, { top, count: rewind }, broker);
  return { ...start, recovered: false, miss: RecoveryMiss.UNSPECIFIED, missedCount: 0 };
}

async function continueAfter(
  { ref, kind }: SubscribedChannel,
  since: StreamPosition,
  { broker, readsBack }: StartPorts,
): Promise<Start> {
  const page = await broker.read(ref, { from: since.offset, direction: "forward", maxCount: 1, maxBytes: 1 });
  const top = { epoch: page.epoch, ...page.top };
  const continuity = judgeForward(since, page);
  if (continuity.kind === "continues") {
    return { position: since, top, recovered: true, miss: RecoveryMiss.UNSPECIFIED, missedCount: 0 };
  }
  const { miss, missedCount, position } = continuity;
  if (!readsBack) {
    const missed = miss === RecoveryMiss.RETENTION ? top.offset - since.offset : 0;
    return { position: top, top, recovered: false, miss, missedCount: missed };
  }
  if (kind.lagPolicy !== "latest") return { position, top, recovered: false, miss, missedCount };
  const newest = await rewindFrom(ref, { top, count: 1 }, broker);
  if (newest.top.epoch !== top.epoch) {
    return { ...newest, recovered: false, miss: RecoveryMiss.EPOCH_CHANGED, missedCount: 0 };
  }
  const skipped = miss === RecoveryMiss.RETENTION ? newest.position.offset - since.offset : 0;
  return { ...newest, recovered: false, miss, missedCount: skipped };
}

/** The position from which the last `count` publications follow, or as many of them as are retained. */
async function rewindFrom(
  ref: ChannelRef,
  { top, count }: { readonly top: StreamPosition; readonly count: number },
  broker: Broker,
): Promise<Pick<Start, "position" | "top">> {
  const page = await broker.read(ref, {
    from: Math.max(0, top.offset - count),
    direction: "forward",
    maxCount: 1,
    maxBytes: 1,
  });
  const [first] = page.entries;
  const now = { epoch: page.epoch, ...page.top };
  // Renewed, or emptied, since the top was known.
  if (page.epoch !== top.epoch || first === undefined) return { position: now, top: now };
  // All up to the top has gone since.
  if (first.offset > top.offset + 1) return rewindFrom(ref, { top: now, count }, broker);
  return { position: { epoch: page.epoch, offset: first.offset - 1, check: first.prevCheck }, top };
}

function subscribed(command: SubscribeCommand, start: Start, afterQueued: () => void): Reply {
  return { body: () => subscribedBody(command, start), afterQueued };
}

function subscribedBody({ channel }: SubscribeCommand, start: Start): ReplyBody {
  return {
    case: "subscribed",
    value: {
      channel,
      position: positionMessage(start.position),
      recovered: start.recovered,
      miss: start.miss,
      missedCount: BigInt(start.missedCount),
      top: positionMessage(start.top),
    },
  };
}
