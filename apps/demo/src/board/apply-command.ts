import { type Board, type Card, COLUMNS, type ColumnId, MAX_CARDS, placeOf, sizeOf } from "./board.ts";
import type { BoardCommand } from "./board-command.ts";

/**
 * The board after a command. A command that no longer fits, since others came before it, changes nothing, or what is
 * left of it: a card that is gone cannot be moved, and a place in front of a card that has left the column is its end.
 */
export function applyCommand(board: Board, command: BoardCommand): Board {
  const place = placeOf(board, command.card);
  switch (command.kind) {
    case "card.added": {
      if (place !== undefined || sizeOf(board) >= MAX_CARDS) return board;
      const { card: id, title, column } = command;
      return { ...board, [column]: [...board[column], { id, title }] };
    }
    case "card.moved": {
      const card = place && board[place.column][place.index];
      if (card === undefined || command.before === command.card) return board;
      return insert(without(board, card.id), { card, column: command.column, before: command.before });
    }
    case "card.removed":
      return place === undefined ? board : without(board, command.card);
    default:
      return command satisfies never;
  }
}

function without(board: Board, card: string): Board {
  const rest = (column: ColumnId): readonly Card[] => board[column].filter(({ id }) => id !== card);
  const [todo, doing, done] = COLUMNS.map(({ id }) => rest(id));
  return { todo: todo ?? [], doing: doing ?? [], done: done ?? [] };
}

function insert(
  board: Board,
  { card, column, before }: { readonly card: Card; readonly column: ColumnId; readonly before: string | undefined },
): Board {
  const cards = board[column];
  const found = cards.findIndex(({ id }) => id === before);
  return { ...board, [column]: cards.toSpliced(found < 0 ? cards.length : found, 0, card) };
}
