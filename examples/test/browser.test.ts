import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import { expect, it } from "vitest";
import { Child } from "./child-process.ts";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync) ?? "";

it.skipIf(CHROMIUM === "")(
  "given the page in two windows, when one sends, also while it is offline, then both show everything once",
  async () => {
    await using service = new Child("examples/browser/main.ts", { env: { PORT: "0" } });
    const address = await service.printed(/(http:\S+)/);
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
    try {
      const [first, second] = [await browser.newContext(), await browser.newContext()];
      const [one, other] = [await first.newPage(), await second.newPage()];
      const faults: string[] = [];
      for (const page of [one, other]) {
        page.on("pageerror", (error) => faults.push(error.message));
        page.on("response", (response) => {
          if (!response.ok()) faults.push(`${response.status()} ${response.url()}`);
        });
        await page.goto(address);
        await page.getByText("connected", { exact: true }).waitFor();
      }
      const send = async (text: string): Promise<void> => {
        await one.getByLabel("Message").fill(text);
        await one.getByRole("button", { name: "Send" }).click();
      };

      await send("hello");
      await other.getByText(": hello").waitFor();
      await first.setOffline(true);
      await send("are you there?");
      await first.setOffline(false);
      await other.getByText(": are you there?").waitFor();
      await one.getByText(": are you there?").waitFor();

      for (const page of [one, other]) expect(await page.locator("li").count()).toBe(2);
      expect(faults).toEqual([]);
    } finally {
      await browser.close();
    }
  },
);
