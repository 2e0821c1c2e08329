import { RecoveryMiss } from "@pm/proto";
import { resolveChannel } from "../channel-policy.ts";
import type { ConnectionPorts } from "../connection/connection-ports.ts";
import { Pause, type WebSocketConnection } from "../connection/websocket-connection.ts";
import type { LogEntry, LogPage, ReadRequest } from "../log/broker.ts";
import { judgeForward } from "../log/log-cursor.ts";
import { type Continuity, judge, type LogMark, type StreamPosition } from "../log/stream-position.ts";
import type { ReadHistoryCommand } from "./command.ts";
import { positionMessage, type Reply } from "./reply.ts";

/** Content of a page, in bytes, so that the page with all its fields stays below 256 KiB in either encoding. */
const PAGE_BYTES = { proto: 229_376, json: 131_072 } as const;

/** What a publication costs, in milliseconds: copied in binary, made anew in JSON. Measured with 1000 of 150 bytes. */
const PUBLICATION_COST_MS = { proto: 0.0004, json: 0.004 } as const;

/** What a page says of itself beside its publications. */
interface PageFrame {
  readonly entries: readonly LogEntry[];
  readonly position: StreamPosition;
  readonly more: boolean;
  readonly miss: RecoveryMiss;
}

/**
 * Reads a page of a channel's log, in a turn of the tenant. While the socket is above its mark nothing is read from it,
 * and the page waits. Undefined when the connection has ended meanwhile.
 * @throws WsError `PERMISSION_DENIED`, `UNAVAILABLE`
 */
export async function handleReadHistory(
  connection: WebSocketConnection,
  command: ReadHistoryCommand,
  ports: ConnectionPorts,
): Promise<Reply | undefined> {
  const { context } = connection;
  ports.policy.assertMay("history", context, command.channel);
  await ports.scheduler.turnOf(context.tenant, command.limit * PUBLICATION_COST_MS[connection.encoding]);
  if (connection.outbox.isBehind) {
    connection.pause(Pause.HISTORY);
    await connection.whenWritable();
    connection.resume(Pause.HISTORY);
  }
  if (connection.closing !== undefined) return undefined;
  const page = await readPart(command, (request) =>
    ports.broker.read(resolveChannel(context, command.channel), {
      ...request,
      maxBytes: PAGE_BYTES[connection.encoding],
    }),
  );
  const frame = command.backward ? backwardPage(command, page) : forwardPage(command, page);
  return {
    body: () => ({
      case: "historyPage",
      value: {
        position: positionMessage(frame.position),
        more: frame.more,
        miss: frame.miss,
        top: positionMessage({ epoch: page.epoch, ...page.top }),
      },
      frames: frame.entries.map((entry) => entry.frame),
    }),
  };
}

async function readPart(
  { since, limit, backward }: ReadHistoryCommand,
  read: (request: Omit<ReadRequest, "maxBytes">) => Promise<LogPage>,
): Promise<LogPage> {
  if (!backward) return read({ from: since?.offset ?? 0, direction: "forward", maxCount: limit });
  if (since === undefined) return read({ from: Number.MAX_SAFE_INTEGER, direction: "backward", maxCount: limit });
  // The entry at `since` comes along: it has the tag to compare.
  const page = await read({ from: since.offset + 1, direction: "backward", maxCount: limit + 1 });
  const [first, second] = page.entries;
  const isCrowdedOut = first?.offset === since.offset && second === undefined && page.base.offset < since.offset - 1;
  if (!isCrowdedOut) return page;
  // It took all the room, and a page has at least one of those before it.
  const before = await read({ from: since.offset, direction: "backward", maxCount: limit });
  return { ...before, entries: [first, ...before.entries] };
}

function forwardPage({ since }: ReadHistoryCommand, page: LogPage): PageFrame {
  const continuity: Continuity = since === undefined ? { kind: "continues" } : judgeForward(since, page);
  if (continuity.kind === "missed" && continuity.miss !== RecoveryMiss.RETENTION) return missedPage(continuity);
  const start = continuity.kind === "missed" ? continuity.position : (since ?? { epoch: page.epoch, ...page.base });
  const last = page.entries.at(-1);
  return {
    entries: page.entries,
    position: last === undefined ? start : positionOf(page.epoch, last),
    more: last !== undefined && last.offset < page.top.offset,
    miss: continuity.kind === "missed" ? continuity.miss : RecoveryMiss.UNSPECIFIED,
  };
}

function backwardPage({ since }: ReadHistoryCommand, page: LogPage): PageFrame {
  const first = page.entries[0];
  const mark: LogMark | undefined = since?.offset === page.base.offset ? page.base : first;
  const tag = mark?.offset === since?.offset ? mark?.check : undefined;
  const continuity: Continuity = since === undefined ? { kind: "continues" } : judge(since, page, tag);
  if (continuity.kind === "missed") return missedPage(continuity);
  const entries = page.entries.filter((entry) => since === undefined || entry.offset < since.offset);
  const last = entries.at(-1);
  return {
    entries,
    position: last === undefined ? (since ?? { epoch: page.epoch, ...page.top }) : positionOf(page.epoch, last),
    more: last !== undefined && last.offset > page.base.offset + 1,
    miss: RecoveryMiss.UNSPECIFIED,
  };
}

function missedPage({ position, miss }: Extract<Continuity, { kind: "missed" }>): PageFrame {
  return { entries: [], position, more: false, miss };
}

function positionOf(epoch: string, { offset, check }: LogMark): StreamPosition {
  return { epoch, offset, check };
}
