import { describe, expect, it } from "vitest";
import type { Board } from "./board.ts";
import { neighbour, step } from "./step.ts";

const card = (id: string) => ({ id, title: id });
const BOARD: Board = { todo: [card("a"), card("b"), card("c")], doing: [], done: [card("d"), card("e")] };

describe("step", () => {
  it.each([
    ["a", "up"],
    ["c", "down"],
    ["a", "left"],
    ["d", "right"],
    ["gone", "down"],
  ] as const)("given %s at the edge when it goes %s then there is no step", (id, direction) => {
    expect(step(BOARD, id, direction)).toBeUndefined();
  });

  it.each([
    ["b", "up", "todo", "a"],
    ["a", "down", "todo", "c"],
    ["b", "down", "todo", undefined],
    ["b", "right", "doing", undefined],
    ["d", "left", "doing", undefined],
  ] as const)("given %s when it goes %s then it is in %s before %s", (id, direction, column, before) => {
    expect(step(BOARD, id, direction)).toEqual({ kind: "card.moved", card: id, column, before });
  });
});

describe("neighbour", () => {
  it.each([
    ["a", "down", "b"],
    ["a", "up", undefined],
    ["c", "right", "e"],
    ["e", "left", "b"],
    ["a", "left", undefined],
    ["gone", "up", undefined],
  ] as const)("given the focus on %s when it goes %s then it is on %s", (id, direction, found) => {
    expect(neighbour(BOARD, id, direction)).toBe(found);
  });
});
