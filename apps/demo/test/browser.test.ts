import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { PmClient } from "@pm/client";
import { dataOf } from "../src/board/board-command.ts";
import { COLUMNS } from "../src/board/board.ts";
import { DemoServer } from "./support/demo-server.ts";
import { CHROMIUM, DemoWindow, type EntryReport, launchBrowser } from "./support/demo-window.ts";

const IS_HERE = existsSync(CHROMIUM) || process.env["REQUIRE_ALL"] === "1";
const CUTTING_MS = process.env["SOAK"] === "1" ? 60_000 : 10_000;
const PUBLISH_EVERY_MS = 40;
/** Of a machine that has other things to do. */
const PATIENCE = { timeout: 15_000 };

describe.skipIf(!IS_HERE)("the demo in Chromium", { timeout: 60_000 }, () => {
  let browser: Browser;
  let server: DemoServer;

  beforeAll(async () => {
    browser = await launchBrowser();
  });

  afterAll(() => browser.close());

  beforeEach(async () => {
    server = await DemoServer.start();
  });

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await server[Symbol.asyncDispose]();
  });

  it("given two windows when a card is moved by keyboard in one then it moves in the other, and not at the other tenant", async () => {
    const [one, two] = [await DemoWindow.open(browser, server.page), await DemoWindow.open(browser, server.page)];
    const globex = await two.board("globex");
    await one.card("acme", "a1").focus();
    for (const key of ["Enter", "ArrowRight", "ArrowRight", "ArrowDown"]) await one.page.keyboard.press(key);
    const moved = { todo: ["a2", "a3"], doing: ["b1", "b2"], done: ["c1", "a1"] };
    await expect.poll(() => two.board("acme"), PATIENCE).toEqual(moved);
    expect(await one.board("acme")).toEqual(moved);
    expect(await one.page.evaluate(focusedCard)).toBe("a1");
    expect(await two.board("globex")).toEqual(globex);
    expect(await one.board("globex")).toEqual(globex);
    expect([await one.reports("globex"), await two.reports("globex")].flat().map(({ kind }) => kind)).toEqual([
      "restored",
      "restored",
    ]);
    expect([...one.faults, ...two.faults]).toEqual([]);
  });

  it("given a card when it is dragged then it moves, and does not move to the other tenant", async () => {
    const window = await DemoWindow.open(browser, server.page);
    await window.card("acme", "a2").dragTo(window.pane("acme").locator('[data-column="done"]'));
    await expect.poll(async () => (await window.board("acme"))["done"], PATIENCE).toContain("a2");
    const before = [await window.board("acme"), await window.board("globex")];
    await window.card("acme", "a1").dragTo(window.pane("globex").locator('[data-column="done"]'));
    await window.pane("globex").getByText("Cards do not cross tenants.").waitFor();
    expect([await window.board("acme"), await window.board("globex")]).toEqual(before);
  });

  it("given a card that is added and one that is removed when a window opens later then its board is the same", async () => {
    const one = await DemoWindow.open(browser, server.page);
    await one.pane("acme").getByLabel("New card for Acme").fill("Sweep the yard");
    await one.page.keyboard.press("Enter");
    await one.card("acme", "c1").click();
    await one.pane("acme").getByLabel("Remove Invoice for March").click();
    await expect.poll(() => one.figure("acme", "offset"), PATIENCE).toBe(2);
    const two = await DemoWindow.open(browser, server.page);
    expect(await two.board("acme")).toEqual(await one.board("acme"));
    await two.pane("acme").getByText("Sweep the yard").waitFor();
  });

  it("given a cut when cards are moved here and there meanwhile then both are on the board afterwards, recovered", async () => {
    const [cut, other] = [await DemoWindow.open(browser, server.page), await DemoWindow.open(browser, server.page)];
    await cut.pane("acme").getByText("Cut the connection").click();
    await cut.pane("acme").locator('[data-connection="waiting"]').waitFor();
    await other.card("acme", "a1").click();
    await other.pane("acme").getByLabel("Move right").click();
    await expect.poll(() => other.figure("acme", "offset"), PATIENCE).toBe(1);
    await cut.card("acme", "b2").click();
    await cut.pane("acme").getByLabel("Move right").click();
    expect(await cut.figure("acme", "offset")).toBe(0);
    await cut.pane("acme").getByText("Reconnect now").click();
    await expect.poll(() => cut.figure("acme", "offset"), PATIENCE).toBe(2);
    expect(await cut.board("acme")).toEqual(await other.board("acme"));
    await expect.poll(() => cut.figure("acme", "recovered"), PATIENCE).toBeGreaterThan(0);
    await cut
      .pane("acme")
      .getByText(/Acme is back\. .*Nothing is missed\./)
      .waitFor();
    expect(await cut.figure("acme", "missed")).toBe(0);
  });

  it("given a stalled reader when its tenant is flooded then it lags, is told what it missed, and the other does not lag", async () => {
    const window = await DemoWindow.open(browser, server.page);
    await window.pane("acme").getByText("Stall the reader").click();
    await window.pane("globex").getByText("Flood Acme").click();
    await expect.poll(() => window.figure("acme", "lag"), PATIENCE).toBeGreaterThan(1000);
    expect(await window.figure("globex", "lag")).toBeLessThan(10);
    await expect.poll(() => window.figure("acme", "missed"), PATIENCE).toBeGreaterThan(0);
    await expect.poll(() => window.figure("acme", "lag"), PATIENCE).toBe(0);
    expect(await window.figure("globex", "missed")).toBe(0);
    expect((await window.reports("acme")).map(({ kind }) => kind)).toEqual(["restored"]);
  });

  it(
    "given cuts at random when cards are moved all the time then no window misses or repeats a move",
    async () => {
      const windows = [await DemoWindow.open(browser, server.page), await DemoWindow.open(browser, server.page)];
      await using publisher = server.client("acme", "publisher");
      const ended = new AbortController();
      const publishing = moveCards(publisher, ended.signal);
      const cuts = await Promise.all(windows.map((window) => cutAtRandom(window, CUTTING_MS)));
      ended.abort();
      const published = await publishing;
      for (const count of cuts) expect(count).toBeGreaterThan(3);
      const top = (await publisher.channel("board:main").history({ limit: 1, backward: true })).top.offset;
      for (const window of windows) {
        await expect.poll(() => window.figure("acme", "offset"), { timeout: 30_000 }).toBe(top);
        const [restored, ...entries] = await window.reports("acme");
        const offsets = entries.map((report) => (report as EntryReport).entry.offset);
        const first = (restored?.state.offset ?? 0) + 1;
        expect(offsets).toEqual(Array.from({ length: top - first + 1 }, (_, index) => first + index));
        const ids = entries.map((report) => ((report as EntryReport).entry.data as { readonly id?: string }).id);
        expect(ids.filter((id) => published.includes(id ?? ""))).toEqual(published);
        expect(await window.figure("acme", "missed")).toBe(0);
        expect(await window.figure("acme", "recovered")).toBeGreaterThan(0);
        expect((await window.reports("globex")).map(({ kind }) => kind)).toEqual(["restored"]);
      }
      const [one, two] = await Promise.all(windows.map((window) => window.board("acme")));
      expect(one).toEqual(two);
    },
    CUTTING_MS + 60_000,
  );
});

/** Moves a card every few milliseconds; resolves with the ids of the moves in their order. */
async function moveCards(client: PmClient, signal: AbortSignal): Promise<string[]> {
  await client.connect();
  const ids: string[] = [];
  for (let index = 0; !signal.aborted; index++) {
    const column = COLUMNS[index % COLUMNS.length]?.id ?? "todo";
    const command = { kind: "card.moved", card: `a${(index % 3) + 1}`, column, before: undefined } as const;
    const issued = { id: `move-${index}`, command };
    await client.channel("board:main").publish(dataOf(issued), { event: command.kind, idempotencyKey: issued.id });
    ids.push(issued.id);
    await delay(PUBLISH_EVERY_MS);
  }
  return ids;
}

/** Presses the first button of the pane, which cuts and reconnects, at random; resolves with the number of cuts. */
async function cutAtRandom(window: DemoWindow, forMs: number): Promise<number> {
  const button = window.pane("acme").locator(".controls button").first();
  const endsAt = performance.now() + forMs;
  let cuts = 0;
  while (performance.now() < endsAt) {
    if ((await button.textContent()) === "Cut the connection") cuts++;
    await button.click();
    await delay(100 + Math.random() * 900);
  }
  if ((await button.textContent()) === "Reconnect now") await button.click();
  return cuts;
}

/** Runs in the page. */
function focusedCard(): string | null | undefined {
  return document.activeElement?.closest("[data-card]")?.getAttribute("data-card");
}
