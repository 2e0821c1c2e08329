// Serves one page without a bundler, the client as one file, and tokens. pm runs inside.
//
//   npx --yes pnpm@12 exec node examples/browser/main.ts
//
// Open the address that it prints in two windows.
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { JwtValidator } from "@pm/auth";
import { attach } from "@pm/ws";
import express from "express";
import { SignJWT } from "jose";

const secret = randomBytes(32).toString("base64url");
const app = express();
const httpServer = createServer(app);
attach(httpServer, { authenticator: JwtValidator.withHs256(secret) });

app.get("/", (_request, response) => {
  response.sendFile("index.html", { root: import.meta.dirname });
});
app.get("/pm-client.js", (_request, response) => {
  response.sendFile(fileURLToPath(import.meta.resolve("@pm/client/bundle")), { dotfiles: "allow" });
});
// Where a real service would look at the session of whoever asks.
app.get("/token", async (_request, response) => {
  const token = await new SignJWT({ tenant_id: "acme" })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(`guest-${randomBytes(2).toString("hex")}`)
    .setIssuedAt()
    .setExpirationTime("10m")
    .sign(new TextEncoder().encode(secret));
  response.set("Cache-Control", "no-store").type("text").send(token);
});

httpServer.listen(Number(process.env["PORT"] ?? 8080), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(httpServer.address() as AddressInfo).port}/`);
});
