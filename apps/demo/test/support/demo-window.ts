import { type Browser, chromium, type Locator, type Page } from "playwright-core";
import type { DemoTenant } from "../../src/board/tenants.ts";
import type { ReaderReport } from "../../src/reader/reader-protocol.ts";

/** Where Debian installs it. */
export const CHROMIUM = "/usr/bin/chromium";

export type EntryReport = Extract<ReaderReport, { kind: "entry" }>;
export type RestoredReport = Extract<ReaderReport, { kind: "restored" }>;

type Recorded = typeof globalThis & { reports?: Record<string, ReaderReport[]> };

export function launchBrowser(): Promise<Browser> {
  const quiet = ["background-networking", "component-update", "sync"].map((what) => `--disable-${what}`);
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", ...quiet],
  });
}

/** A window with the demo, and everything that the readers in it told their page about the boards. */
export class DemoWindow {
  readonly page: Page;
  /** What the page complained of. */
  readonly faults: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.faults.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") this.faults.push(message.text());
    });
  }

  static async open(browser: Browser, url: string): Promise<DemoWindow> {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.addInitScript(recordReports);
    const window = new DemoWindow(page);
    await page.goto(url);
    for (const tenant of ["acme", "globex"] as const) {
      await window.pane(tenant).locator('[data-connection="connected"]').waitFor();
      await page.waitForFunction(
        (id) => document.querySelector(`[data-tenant=${id}]`)?.getAttribute("data-offset") !== "",
        tenant,
      );
    }
    return window;
  }

  pane(tenant: DemoTenant["id"]): Locator {
    return this.page.locator(`[data-tenant="${tenant}"]`);
  }

  card(tenant: DemoTenant["id"], id: string): Locator {
    return this.pane(tenant).locator(`[data-card="${id}"] > .card-title`);
  }

  /** The ids of the cards on the page, by column. */
  async board(tenant: DemoTenant["id"]): Promise<Record<string, string[]>> {
    const columns = await this.pane(tenant)
      .locator("[data-column]")
      .evaluateAll((found) =>
        found.map((column) => [
          column.getAttribute("data-column"),
          Array.from(column.querySelectorAll("[data-card]"), (card) => card.getAttribute("data-card")),
        ]),
      );
    return Object.fromEntries(columns) as Record<string, string[]>;
  }

  async figure(tenant: DemoTenant["id"], name: string): Promise<number> {
    const text = await this.pane(tenant).locator(`[data-figure="${name}"]`).textContent();
    return Number((text ?? "").replaceAll(",", ""));
  }

  async reports(tenant: DemoTenant["id"]): Promise<readonly (EntryReport | RestoredReport)[]> {
    return this.page.evaluate((id) => (globalThis as Recorded).reports?.[id] ?? [], tenant) as Promise<
      (EntryReport | RestoredReport)[]
    >;
  }
}

/** Runs in the page, before its own script: listens to its workers beside it. */
function recordReports(): void {
  const reports: Record<string, ReaderReport[]> = {};
  (globalThis as Recorded).reports = reports;
  globalThis.Worker = class extends Worker {
    constructor(url: string | URL, options: WorkerOptions = {}) {
      super(url, options);
      const own = (reports[options.name ?? ""] = [] as ReaderReport[]);
      this.addEventListener("message", ({ data }: MessageEvent<ReaderReport>) => {
        if (data.kind === "entry" || data.kind === "restored") own.push(data);
      });
    }
  };
}
