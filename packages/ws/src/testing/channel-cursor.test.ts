import { describe, expect, it } from "vitest";
import { ChannelCursor } from "./channel-cursor.ts";

function cursorAt(offset: number, check = 7): ChannelCursor {
  const cursor = new ChannelCursor();
  cursor.ask();
  cursor.moveTo({ epoch: "e", offset, check });
  return cursor;
}

describe("ChannelCursor", () => {
  it("given a cursor, when the next publication comes, then it is accepted and the cursor moves", () => {
    const cursor = cursorAt(5);
    expect(cursor.take({ offset: 6, check: 8 })).toBe("accept");
    expect(cursor.position).toEqual({ epoch: "e", offset: 6, check: 8 });
  });

  it.each([
    { offset: 5, check: 7, verdict: "drop" },
    { offset: 4, check: 99, verdict: "drop" },
    { offset: 5, check: 8, verdict: "resubscribe" },
    { offset: 7, check: 8, verdict: "resubscribe" },
  ])(
    "given a cursor at 5, when $offset with tag $check comes, then the verdict is $verdict",
    ({ verdict, ...came }) => {
      const cursor = cursorAt(5);
      expect(cursor.take(came)).toBe(verdict);
      expect(cursor.position?.offset).toBe(5);
    },
  );

  it("given a cursor without a tag, when another one comes at its offset, then it is dropped", () => {
    expect(cursorAt(5, 0).take({ offset: 5, check: 8 })).toBe("drop");
  });

  it("given a Subscribe without its answer, when publications and Lagged come, then they do not move the cursor", () => {
    const cursor = cursorAt(5);
    cursor.ask();
    expect(cursor.take({ offset: 6, check: 8 })).toBe("drop");
    cursor.lag({ epoch: "e", offset: 9, check: 1 });
    expect(cursor.position?.offset).toBe(5);
    cursor.moveTo({ epoch: "e", offset: 5, check: 7 });
    expect(cursor.take({ offset: 6, check: 8 })).toBe("accept");
  });

  it("given a Subscribe that was refused, when something was discarded meanwhile, then it has to be asked for again", () => {
    const cursor = cursorAt(5);
    cursor.ask();
    cursor.take({ offset: 6, check: 8 });
    expect(cursor.giveUp()).toBe(true);
    cursor.ask();
    cursor.moveTo({ epoch: "e", offset: 5, check: 7 });
    cursor.ask();
    expect(cursor.giveUp()).toBe(false);
  });

  it("given a Subscribe that was refused, when the next publication comes, then it is accepted again", () => {
    const cursor = cursorAt(5);
    cursor.ask();
    expect(cursor.giveUp()).toBe(false);
    expect(cursor.take({ offset: 6, check: 8 })).toBe("accept");
  });

  it("given no answer yet, when a publication comes, then it is dropped", () => {
    expect(new ChannelCursor().take({ offset: 1, check: 1 })).toBe("drop");
  });
});
