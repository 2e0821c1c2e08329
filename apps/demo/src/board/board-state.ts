import { applyCommand } from "./apply-command.ts";
import { type Board, parseBoard } from "./board.ts";
import { parseCommand } from "./board-command.ts";

/** The event of a publication that carries a whole board. */
export const SNAPSHOT = "board.snapshot";
/** Publications after which a new snapshot is due. */
export const SNAPSHOT_EVERY = 50;

/** One entry of the log of a board. */
export interface BoardEntry {
  readonly offset: number;
  readonly event: string;
  readonly data: unknown;
}

/** A board, and how much of its log is in it. */
export interface BoardState {
  readonly board: Board;
  /** Of the last entry that is in it; 0 for none. */
  readonly offset: number;
  /** The offset whose board the newest snapshot holds; 0 for none. */
  readonly snapshotAt: number;
}

/** What a snapshot says: the board as it was when the entry at this offset was the last. */
export interface Snapshot {
  readonly at: number;
  readonly board: Board;
}

/** The state before anything was published. */
export function emptyLog(seed: Board): BoardState {
  return { board: seed, offset: 0, snapshotAt: 0 };
}

/**
 * The state after one more entry. An entry that is in it already changes nothing; a snapshot changes no board, since
 * whoever reads the log from its beginning has the same one.
 */
export function applyEntry(state: BoardState, entry: BoardEntry): BoardState {
  if (entry.offset <= state.offset) return state;
  const snapshot = snapshotOf(entry);
  if (snapshot !== undefined) {
    return { ...state, offset: entry.offset, snapshotAt: Math.max(state.snapshotAt, snapshot.at) };
  }
  const issued = parseCommand(entry.event, entry.data);
  const board = issued === undefined ? state.board : applyCommand(state.board, issued.command);
  return { ...state, board, offset: entry.offset };
}

/**
 * The state at the end of a log of which only a part is at hand: what its newest snapshot holds, and every entry after
 * it. Without a snapshot the log is taken to begin with the seed.
 */
export function restore(seed: Board, entries: readonly BoardEntry[]): BoardState {
  const snapshot = newestSnapshot(entries);
  const start: BoardState =
    snapshot === undefined ? emptyLog(seed) : { board: snapshot.board, offset: snapshot.at, snapshotAt: snapshot.at };
  return entries.toSorted((a, b) => a.offset - b.offset).reduce(applyEntry, start);
}

/** True when these entries, the newest of a log, are enough to restore its board. */
export function isEnough(entries: readonly BoardEntry[]): boolean {
  const snapshot = newestSnapshot(entries);
  return snapshot !== undefined && entries.some(({ offset }) => offset <= snapshot.at + 1);
}

function newestSnapshot(entries: readonly BoardEntry[]): Snapshot | undefined {
  let newest: Snapshot | undefined;
  for (const entry of entries) {
    const snapshot = snapshotOf(entry);
    if (snapshot !== undefined && snapshot.at > (newest?.at ?? -1)) newest = snapshot;
  }
  return newest;
}

function snapshotOf({ event, data, offset }: BoardEntry): Snapshot | undefined {
  if (event !== SNAPSHOT || typeof data !== "object" || data === null) return undefined;
  const { at, board: given } = data as Record<string, unknown>;
  const board = parseBoard(given);
  const isBefore = typeof at === "number" && Number.isSafeInteger(at) && at >= 0 && at < offset;
  return board !== undefined && isBefore ? { at, board } : undefined;
}
