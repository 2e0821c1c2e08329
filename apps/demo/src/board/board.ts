/** The columns of a board, from left to right. */
export const COLUMNS = [
  { id: "todo", title: "To do" },
  { id: "doing", title: "Doing" },
  { id: "done", title: "Done" },
] as const;

/** Names a column. */
export type ColumnId = (typeof COLUMNS)[number]["id"];

/** A card. Its id is unique on its board. */
export interface Card {
  readonly id: string;
  readonly title: string;
}

/** The cards of a board, each in one column. Boards are values: a change makes another one. */
export type Board = Readonly<Record<ColumnId, readonly Card[]>>;

/** Cards that a board may have; a whole board then fits into one publication. */
export const MAX_CARDS = 60;
/** Characters that a title may have. */
export const MAX_TITLE = 120;
const MAX_ID = 64;

/** Where a card is. */
export interface Place {
  readonly column: ColumnId;
  readonly index: number;
}

/** Where the card with this id is; undefined where it is not on the board. */
export function placeOf(board: Board, card: string): Place | undefined {
  for (const { id: column } of COLUMNS) {
    const index = board[column].findIndex(({ id }) => id === card);
    if (index >= 0) return { column, index };
  }
  return undefined;
}

/** How many cards a board has. */
export function sizeOf(board: Board): number {
  return COLUMNS.reduce((sum, { id }) => sum + board[id].length, 0);
}

export function isColumnId(value: unknown): value is ColumnId {
  return COLUMNS.some(({ id }) => id === value);
}

export function isCardId(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= MAX_ID;
}

export function isTitle(value: unknown): value is string {
  return typeof value === "string" && value.trim().length > 0 && value.length <= MAX_TITLE;
}

/** A board from outside; undefined where it is not one. */
export function parseBoard(value: unknown): Board | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const given = value as Record<string, unknown>;
  const [todo, doing, done] = COLUMNS.map(({ id }) => parseCards(given[id]));
  if (todo === undefined || doing === undefined || done === undefined) return undefined;
  const ids = [...todo, ...doing, ...done].map(({ id }) => id);
  return ids.length <= MAX_CARDS && new Set(ids).size === ids.length ? { todo, doing, done } : undefined;
}

function parseCards(value: unknown): readonly Card[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const cards: Card[] = [];
  for (const item of value as unknown[]) {
    if (typeof item !== "object" || item === null) return undefined;
    const { id, title } = item as Record<string, unknown>;
    if (!isCardId(id) || !isTitle(title)) return undefined;
    cards.push({ id, title });
  }
  return cards;
}
