import * as fc from "fast-check";
import { type Board, COLUMNS, sizeOf } from "../../src/board/board.ts";
import type { BoardCommand } from "../../src/board/board-command.ts";

/** Few ids, so that commands meet. */
export const cardId: fc.Arbitrary<string> = fc.constantFrom("a1", "a2", "a3", "b1", "b2", "c1", "n1", "n2", "n3");
const column = fc.constantFrom(...COLUMNS.map(({ id }) => id));

/** Commands in any order, whether they fit or not. */
export const command: fc.Arbitrary<BoardCommand> = fc.oneof(
  fc.record({ kind: fc.constant("card.added" as const), card: cardId, column, title: fc.constantFrom("x", "yy") }),
  fc.record({
    kind: fc.constant("card.moved" as const),
    card: cardId,
    column,
    before: fc.option(cardId, { nil: undefined }),
  }),
  fc.record({ kind: fc.constant("card.removed" as const), card: cardId }),
);

/** The ids of a board, each as often as it is there. */
export function idsOf(board: Board): string[] {
  return COLUMNS.flatMap(({ id }) => board[id].map((card) => card.id));
}

/** True when every card is there once. */
export function isValid(board: Board): boolean {
  return new Set(idsOf(board)).size === sizeOf(board);
}
