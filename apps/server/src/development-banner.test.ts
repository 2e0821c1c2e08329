import { decodeJwt, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import { readConfig } from "./config/read-config.ts";
import { developmentBanner, makeDevelopmentBanner } from "./development-banner.ts";

const TOKENS = [
  { tenant: "acme", token: "A.A.A" },
  { tenant: "globex", token: "G.G.G" },
];
const FILE = { kind: "file", path: "/app/data/dev-secret", isByDefault: true } as const;
const DEFAULT = { url: "ws://127.0.0.1:3000/ws", opsUrl: "http://127.0.0.1:3001", tokens: TOKENS, secretSource: FILE };

const SECRET = "a-secret-of-more-than-thirty-two-bytes";
const MACHINE = { stdoutIsTerminal: false, openFileLimit: undefined };

describe("developmentBanner", () => {
  it("given the defaults when it is made then it is all a person needs, with short commands", () => {
    expect(developmentBanner(DEFAULT)).toBe(`
  pm is running in development mode.

    Demo        http://127.0.0.1:3000/demo/
    WebSocket   ws://127.0.0.1:3000/ws
    Health      http://127.0.0.1:3000/health
    Operations  http://127.0.0.1:3001

  Tokens of two sample tenants, good for 12 hours:

    acme    A.A.A
    globex  G.G.G

  Listen, in a second terminal:

    npx --yes pnpm@12 --silent pmctl listen --tenant acme project:42

  Publish, in a third one:

    npx --yes pnpm@12 --silent pmctl publish --tenant acme project:42 '{"text":"hello"}'
`);
  });

  it("given another address when it is made then the commands name it, and an address of all is one to connect to", () => {
    const banner = developmentBanner({ ...DEFAULT, url: "ws://0.0.0.0:4000/ws", opsUrl: "http://[::]:4001" });
    expect(banner).toContain("pmctl listen --url ws://127.0.0.1:4000/ws --tenant acme project:42");
    expect(banner).toContain("Demo        http://127.0.0.1:4000/demo/");
    expect(banner).toContain("Health      http://127.0.0.1:4000/health");
    expect(banner).toContain("Operations  http://127.0.0.1:4001");
  });

  it.each([
    ["the environment", { kind: "environment" } as const],
    ["another folder", { ...FILE, isByDefault: false }],
    ["nowhere", undefined],
  ])("given a secret from %s when it is made then the commands carry a token", (_where, secretSource) => {
    const banner = developmentBanner({ ...DEFAULT, secretSource });
    expect(banner).toContain("pmctl listen --token A.A.A project:42");
    expect(banner).toContain("pmctl publish --token A.A.A project:42 '");
  });

  it("given no tokens when it is made then it says where they come from, and there is no demo", () => {
    const banner = developmentBanner({ ...DEFAULT, tokens: [], secretSource: undefined });
    expect(banner).toContain("Tokens come from the issuer of the configured key.");
    expect(banner).toContain("pmctl listen --token <token> project:42");
    expect(banner).not.toContain("/demo");
  });
});

describe("makeDevelopmentBanner", () => {
  const urls = { url: "ws://127.0.0.1:3000/ws", opsUrl: "http://127.0.0.1:3001" };

  it("given a secret when it is made then the tokens in it are good for it, one for each tenant", async () => {
    const banner = await makeDevelopmentBanner(readConfig({ JWT_SECRET: SECRET, JWT_ISSUER: "i" }, MACHINE), urls);
    const tokens = [...new Set(banner.match(/[\w-]+\.[\w-]+\.[\w-]{43}/g))];
    expect(tokens.map((token) => decodeJwt(token)["tenant_id"])).toEqual(["acme", "globex"]);
    for (const token of tokens) await jwtVerify(token, Buffer.from(SECRET), { issuer: "i" });
  });

  it("given the secret of the data folder when it is made then the commands sign with it, unless tokens must say more", async () => {
    const config = {
      ...readConfig({ JWT_SECRET: SECRET }, MACHINE),
      tokenKey: { kind: "secret", secret: SECRET, origin: FILE },
    } as const;
    expect(await makeDevelopmentBanner(config, urls)).toContain("pmctl listen --tenant acme project:42");
    for (const more of [{ jwtIssuer: "i" }, { jwtAudience: "a" }]) {
      expect(await makeDevelopmentBanner({ ...config, ...more }, urls)).toMatch(/pmctl listen --token \S+ project:42/);
    }
  });

  it("given a key that only verifies when it is made then there are no tokens", async () => {
    const banner = await makeDevelopmentBanner(readConfig({ JWKS_URL: "https://idp.example/keys" }, MACHINE), urls);
    expect(banner).toContain("--token <token>");
  });
});
