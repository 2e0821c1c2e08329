import { parseTenantId, type TenantContext } from "@pm/core";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { attach, type Authenticator, type WsServerOptions } from "../../src/index.ts";

/** Believes what a token says. */
const authenticator: Authenticator = {
  async authenticate(token: string): Promise<TenantContext> {
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<string, string>;
    return {
      tenant: parseTenantId(claims["tenant_id"] ?? ""),
      user: claims["sub"] ?? "",
      roles: [],
      grants: undefined,
      expiresAtMs: Number.MAX_SAFE_INTEGER,
    };
  },
};

/** Makes this process a server that the soak script can start, with a part of it that is not as it should be. */
export function serveSoak(options: Partial<WsServerOptions>): void {
  const http = createServer();
  attach(http, { authenticator, ...options });
  http.listen(0, "127.0.0.1", () => {
    const { address, port } = http.address() as AddressInfo;
    const line = { level: "info", event: "server_started", host: address, port };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  });
  process.once("SIGTERM", () => process.exit());
}
