import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { stripTypeScriptTypes } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { signToken } from "../pm-server.ts";
import type { LoopResult, PageApi, PageOptions, PageRecord } from "./page.ts";

const EXECUTABLE = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const BUNDLE = join(import.meta.dirname, "../../dist/pm-client.min.js");
const HTML = `<!doctype html>
<script type="module">
  import * as pm from "/pm-client.min.js";
  window.pm = pm;
</script>
<script type="module" src="/page.js"></script>`;

/** True where there is a browser to test in. */
export const hasChromium: boolean = existsSync(EXECUTABLE);

declare const api: PageApi;

/** A real browser, and the server of its page: the built bundle, loaded as a module, and tokens. */
export class ChromiumPage implements AsyncDisposable {
  readonly #server: Server;
  #browser: Browser | undefined;
  #page: Page | undefined;

  private constructor() {
    this.#server = createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://page");
      const send = (type: string, body: string): unknown => response.setHeader("content-type", type).end(body);
      if (url.pathname === "/") send("text/html", HTML);
      else if (url.pathname === "/pm-client.min.js") send("text/javascript", readFileSync(BUNDLE, "utf8"));
      else if (url.pathname === "/page.js") send("text/javascript", pageScript());
      else if (url.pathname === "/token") {
        void signToken({ expiresIn: Number(url.searchParams.get("expiresIn")) }).then((token) =>
          send("text/plain", token),
        );
      } else response.writeHead(404).end();
    });
  }

  static async start(): Promise<ChromiumPage> {
    const page = new ChromiumPage();
    page.#server.listen(0, "127.0.0.1");
    await once(page.#server, "listening");
    page.#browser = await chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS });
    return page;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get page(): Page {
    if (this.#page === undefined) throw new Error("no page is open");
    return this.#page;
  }

  /** Opens a fresh page, with a client that is connected and subscribed. */
  async open(options: PageOptions): Promise<void> {
    await this.#openEmpty();
    await this.page.evaluate((given) => api.start(given), options);
  }

  /** Opens a fresh page whose client is told to connect. */
  async begin(options: PageOptions): Promise<void> {
    await this.#openEmpty();
    await this.page.evaluate((given) => {
      api.start(given).catch(() => undefined);
    }, options);
  }

  async #openEmpty(): Promise<void> {
    await this.#page?.close();
    this.#page = await this.#browser?.newPage();
    await this.page.goto(this.origin);
    await this.page.waitForFunction(() => "api" in globalThis);
  }

  publish(ids: readonly unknown[]): Promise<void> {
    return this.page.evaluate((given) => api.publish(given), ids);
  }

  load(ms: number, gapMs: number): Promise<number> {
    return this.page.evaluate(([forMs, everyMs]) => api.load(forMs, everyMs), [ms, gapMs] as const);
  }

  startLoop(count: number): Promise<void> {
    return this.page.evaluate((given) => api.startLoop(given), count);
  }

  loop(): Promise<LoopResult> {
    return this.page.evaluate(() => api.loop);
  }

  record(): Promise<PageRecord> {
    return this.page.evaluate(() => api.record);
  }

  /** Resolves when so many publications have come. */
  async reached(count: number): Promise<PageRecord> {
    await this.page.waitForFunction((least) => api.record.ids.length >= least, count, { timeout: 15_000 });
    return this.record();
  }

  /** Resolves when the newest state is of this kind. */
  async became(kind: string): Promise<PageRecord> {
    await this.page.waitForFunction((wanted) => api.record.states.at(-1) === wanted, kind, { timeout: 15_000 });
    return this.record();
  }

  /** Resolves when so many entries are in a list of the record. */
  async listed(list: "misses" | "closeCodes" | "tokenReasons", least: number): Promise<PageRecord> {
    const isThere = ([name, count]: readonly [typeof list, number]): boolean => api.record[name].length >= count;
    await this.page.waitForFunction(isThere, [list, least] as const, { timeout: 15_000 });
    return this.record();
  }

  /** Lets the page sleep, as browsers do with pages that nobody looks at; or wakes it. */
  async setLifecycle(state: "frozen" | "active"): Promise<void> {
    const session = await this.page.context().newCDPSession(this.page);
    await session.send("Page.setWebLifecycleState", { state });
    await session.detach();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser?.close();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

function pageScript(): string {
  return stripTypeScriptTypes(readFileSync(join(import.meta.dirname, "page.ts"), "utf8"));
}
