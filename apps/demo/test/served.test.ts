import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DemoServer } from "./support/demo-server.ts";

describe("the page of the demo", () => {
  let server: DemoServer;

  beforeAll(async () => {
    server = await DemoServer.start();
  });

  afterAll(() => server[Symbol.asyncDispose]());

  it("given its address without the last slash when it is opened then it leads to the page", async () => {
    const response = await fetch(server.page.replace(/\/$/, ""));
    expect(response.url).toBe(server.page);
    expect(response.headers.get("content-type")).toContain("text/html");
    expect(await response.text()).toContain("<title>pm: two tenants, one server</title>");
  });

  it("given the page when it is served then it may run and reach nothing but its own server, and may be framed by nobody", async () => {
    const { headers } = await fetch(server.page);
    const policy = headers.get("content-security-policy") ?? "";
    const socket = new URL(server.page).host;
    expect(policy.split(";").toSorted()).toEqual([
      "base-uri 'none'",
      `connect-src 'self' ws://${socket}`,
      "default-src 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "img-src 'self'",
      "script-src 'self'",
      "style-src 'self'",
      "worker-src 'self'",
    ]);
    expect(headers.get("cross-origin-embedder-policy")).toBe("require-corp");
    expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
  });

  it("given everything the page names when it is fetched then it is there", async () => {
    const page = await (await fetch(server.page)).text();
    const paths = Array.from(page.matchAll(/(?:src|href)="([^"]+)"/g), ([, path = ""]) => path);
    expect(paths.length).toBeGreaterThanOrEqual(3);
    for (const path of paths) expect([path, (await fetch(new URL(path, server.page))).status]).toEqual([path, 200]);
  });
});
