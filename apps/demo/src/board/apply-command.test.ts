import { describe, expect, it } from "vitest";
import { applyCommand } from "./apply-command.ts";
import { type Board, MAX_CARDS } from "./board.ts";

const card = (id: string) => ({ id, title: `card ${id}` });
const BOARD: Board = { todo: [card("a"), card("b")], doing: [card("c")], done: [] };

describe("applyCommand", () => {
  it("given a card of another column when it is moved before it then it is there, in front of it", () => {
    const board = applyCommand(BOARD, { kind: "card.moved", card: "a", column: "doing", before: "c" });
    expect(board).toEqual({ todo: [card("b")], doing: [card("a"), card("c")], done: [] });
  });

  it("given a place in front of a card that has left when a card is moved there then it is at the end", () => {
    const board = applyCommand(BOARD, { kind: "card.moved", card: "a", column: "doing", before: "b" });
    expect(board.doing).toEqual([card("c"), card("a")]);
  });

  it.each([
    ["a card that is gone", { kind: "card.moved", card: "x", column: "done", before: undefined }],
    ["a card before itself", { kind: "card.moved", card: "a", column: "todo", before: "a" }],
    ["the removal of a card that is gone", { kind: "card.removed", card: "x" }],
    ["a card that is there", { kind: "card.added", card: "a", column: "done", title: "twice" }],
  ] as const)("given %s when it is applied then nothing changes", (_what, command) => {
    expect(applyCommand(BOARD, command)).toEqual(BOARD);
  });

  it("given a full board when a card is added then nothing changes", () => {
    const full = { ...BOARD, done: Array.from({ length: MAX_CARDS - 3 }, (_, index) => card(`d${index}`)) };
    expect(applyCommand(full, { kind: "card.added", card: "x", column: "todo", title: "one more" })).toBe(full);
  });

  it("given a card when it is added and removed then the board is as before", () => {
    const added = applyCommand(BOARD, { kind: "card.added", card: "x", column: "todo", title: "new" });
    expect(added.todo.at(-1)).toEqual({ id: "x", title: "new" });
    expect(applyCommand(added, { kind: "card.removed", card: "x" })).toEqual(BOARD);
  });
});
