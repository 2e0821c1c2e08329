import { type Board, type Card, COLUMNS, placeOf } from "./board.ts";
import { parseCommand } from "./board-command.ts";
import { type BoardEntry, SNAPSHOT } from "./board-state.ts";

/** A sentence about an entry, with the boards before and after it; undefined where there is nothing to say. */
export function describeEntry(
  { publisher, ...entry }: BoardEntry & { readonly publisher: string },
  { before, after }: { readonly before: Board; readonly after: Board },
): string | undefined {
  if (entry.event === SNAPSHOT) return undefined;
  const command = parseCommand(entry.event, entry.data)?.command;
  const card = command && (cardOf(after, command.card) ?? cardOf(before, command.card));
  if (command === undefined || card === undefined) return undefined;
  const title = `“${card.title}”`;
  switch (command.kind) {
    case "card.added":
      return `${publisher} added ${title}`;
    case "card.removed":
      return `${publisher} removed ${title}`;
    case "card.moved": {
      const column = COLUMNS.find(({ id }) => id === command.column)?.title ?? command.column;
      const isSame = placeOf(before, card.id)?.column === command.column;
      return isSame ? `${publisher} reordered ${title} in ${column}` : `${publisher} moved ${title} to ${column}`;
    }
    default:
      return command satisfies never;
  }
}

function cardOf(board: Board, card: string): Card | undefined {
  const place = placeOf(board, card);
  return place && board[place.column][place.index];
}
