import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyCommand } from "../src/board/apply-command.ts";
import { MAX_CARDS, parseBoard, placeOf, sizeOf } from "../src/board/board.ts";
import { dataOf, parseCommand } from "../src/board/board-command.ts";
import { applyEntry, type BoardEntry, type BoardState, emptyLog, restore, SNAPSHOT } from "../src/board/board-state.ts";
import { step } from "../src/board/step.ts";
import { TENANTS } from "../src/board/tenants.ts";
import { cardId, command, idsOf, isValid } from "./support/board-arbitraries.ts";

const [{ seed }] = TENANTS;

/** A log of commands, in which some entries are snapshots of the board a few entries before. */
const log = fc
  .array(fc.oneof({ weight: 5, arbitrary: command }, { weight: 1, arbitrary: fc.record({ behind: fc.nat(4) }) }))
  .map((items) => {
    const states: BoardState[] = [emptyLog(seed)];
    const entries: BoardEntry[] = [];
    for (const item of items) {
      const offset = entries.length + 1;
      const shown = states[Math.max(0, offset - 1 - ("behind" in item ? item.behind : 0))] ?? emptyLog(seed);
      const entry =
        "behind" in item
          ? { offset, event: SNAPSHOT, data: { at: shown.offset, board: shown.board } }
          : { offset, event: item.kind, data: dataOf({ id: `c${offset}`, command: item }) };
      entries.push(entry);
      states.push(applyEntry(states.at(-1) ?? emptyLog(seed), entry));
    }
    return { entries, states };
  });

describe("a board", () => {
  it("given any commands when they are applied then every card is there once, and no more than may be", () => {
    fc.assert(
      fc.property(fc.array(command), (commands) => {
        const board = commands.reduce(applyCommand, seed);
        return isValid(board) && sizeOf(board) <= MAX_CARDS && parseBoard(board) !== undefined;
      }),
    );
  });

  it("given any board when a card is moved then the same cards are there, the others in the same order", () => {
    fc.assert(
      fc.property(fc.array(command), cardId, command, (commands, card, last) => {
        fc.pre(last.kind === "card.moved");
        const before = commands.reduce(applyCommand, seed);
        const after = applyCommand(before, { ...last, card });
        expect(idsOf(after).toSorted()).toEqual(idsOf(before).toSorted());
        for (const column of ["todo", "doing", "done"] as const) {
          const others = before[column].filter(({ id }) => id !== card);
          expect(after[column].filter(({ id }) => id !== card)).toEqual(others);
        }
      }),
    );
  });

  it("given any board when a card goes a step then it is one place further", () => {
    fc.assert(
      fc.property(fc.array(command), cardId, (commands, card) => {
        const board = commands.reduce(applyCommand, seed);
        const down = step(board, card, "down");
        const place = placeOf(board, card);
        if (down === undefined || place === undefined) return;
        const after = applyCommand(board, down);
        expect(placeOf(after, card)).toEqual({ ...place, index: place.index + 1 });
        const back = step(after, card, "up");
        expect(back && applyCommand(after, back)).toEqual(board);
      }),
    );
  });

  it("given any command when it is published and parsed then it is the same", () => {
    fc.assert(
      fc.property(command, (given) => {
        const issued = { id: "x", command: given };
        const data: unknown = JSON.parse(JSON.stringify(dataOf(issued)));
        expect(parseCommand(given.kind, data)).toEqual(issued);
      }),
    );
  });

  it("given anything when it is taken for a publication then nothing is thrown and the board is valid", () => {
    const event = fc.oneof(fc.constantFrom("card.added", "card.moved", "card.removed", SNAPSHOT), fc.string());
    fc.assert(
      fc.property(fc.array(fc.record({ event, data: fc.jsonValue() })), (items) => {
        const entries = items.map((item, index) => ({ ...item, offset: index + 1 }));
        expect(isValid(entries.reduce(applyEntry, emptyLog(seed)).board)).toBe(true);
        expect(isValid(restore(seed, entries).board)).toBe(true);
      }),
    );
  });
});

describe("the state of a log", () => {
  it("given any log when some entries come twice then nothing is different", () => {
    fc.assert(
      fc.property(log, fc.array(fc.nat()), ({ entries, states }, repeats) => {
        const repeated = entries.flatMap((entry, index) =>
          repeats.includes(index) ? [entry, entry, ...entries.slice(0, index)] : [entry],
        );
        expect(repeated.reduce(applyEntry, emptyLog(seed))).toEqual(states.at(-1));
      }),
    );
  });

  it("given any log when it is read from its newest snapshot then the board is that of the whole log", () => {
    fc.assert(
      fc.property(log, ({ entries, states }) => {
        const last = states.at(-1);
        const needed = entries.filter(({ offset }) => offset > (last?.snapshotAt ?? 0));
        expect(restore(seed, needed.toReversed())).toEqual(last);
        expect(restore(seed, entries)).toEqual(last);
      }),
    );
  });
});
