import { type Board, COLUMNS, placeOf } from "./board.ts";
import type { BoardCommand } from "./board-command.ts";

/** A direction in which a card goes one step. */
export type Direction = "left" | "right" | "up" | "down";

/**
 * The command that moves a card one step: within its column, or to the same height of the next one. Undefined where
 * there is no further step.
 */
export function step(board: Board, card: string, direction: Direction): BoardCommand | undefined {
  const place = placeOf(board, card);
  if (place === undefined) return undefined;
  const { column, index } = place;
  const cards = board[column];
  const kind = "card.moved";
  switch (direction) {
    case "up":
      return index === 0 ? undefined : { kind, card, column, before: cards[index - 1]?.id };
    case "down":
      return index === cards.length - 1 ? undefined : { kind, card, column, before: cards[index + 2]?.id };
    case "left":
    case "right": {
      const here = COLUMNS.findIndex(({ id }) => id === column);
      const next = COLUMNS[here + (direction === "left" ? -1 : 1)]?.id;
      return next === undefined ? undefined : { kind, card, column: next, before: board[next][index]?.id };
    }
    default:
      return direction satisfies never;
  }
}

/** The card beside another one in a direction, for moving the focus. */
export function neighbour(board: Board, card: string, direction: Direction): string | undefined {
  const place = placeOf(board, card);
  if (place === undefined) return undefined;
  const { column, index } = place;
  if (direction === "up") return board[column][index - 1]?.id;
  if (direction === "down") return board[column][index + 1]?.id;
  const here = COLUMNS.findIndex(({ id }) => id === column);
  const way = direction === "left" ? COLUMNS.slice(0, here).toReversed() : COLUMNS.slice(here + 1);
  const next = way.map(({ id }) => board[id]).find((cards) => cards.length > 0);
  return next?.[Math.min(index, next.length - 1)]?.id;
}
