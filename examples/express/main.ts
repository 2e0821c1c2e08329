// A service that tells its users at once what changed: it publishes from its own request handlers, and pm runs inside
// it.
//
//   npx --yes pnpm@12 exec node examples/express/main.ts
//
// It prints a token and commands to try it with. PORT and JWT_SECRET are read from the environment.
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { JwtValidator, RateLimiterFactory, requireTenant, tenantContextOf } from "@pm/auth";
import { attach, type PublishTarget } from "@pm/ws";
import express, { type Request, type Response } from "express";
import { SignJWT } from "jose";

const secret = process.env["JWT_SECRET"] ?? randomBytes(32).toString("base64url");
const validator = JwtValidator.withHs256(secret);
const app = express();
const httpServer = createServer(app);

const pm = attach(httpServer, {
  authenticator: validator,
  messageLimiters: new RateLimiterFactory({ maxRequests: 100, windowSecs: 60 }),
  // Only this service publishes; what clients want to say comes in by its routes, where it is checked.
  channelKinds: { defaults: { clientPublish: "deny" } },
});

app.use(requireTenant(validator), express.json());

// To one channel: everybody who has the project open.
app.post("/projects/:project/tasks", (request, response) => {
  const { tenant } = tenantContextOf(request);
  return publish({ tenant, channel: `project:${request.params.project}` }, request, response);
});

// To one user: all devices of that user.
app.post("/users/:user/messages", (request, response) => {
  const { tenant } = tenantContextOf(request);
  return publish({ tenant, user: request.params.user }, request, response);
});

// To everybody of the tenant.
app.post("/announcements", (request, response) => {
  const { tenant } = tenantContextOf(request);
  return publish({ tenant }, request, response);
});

/** Resolves when the publication is in the log, so the answer can say where. */
async function publish(target: PublishTarget, request: Request, response: Response): Promise<void> {
  const idempotencyKey = request.get("idempotency-key");
  const { position } = await pm.publish(target, { payload: JSON.stringify(request.body), idempotencyKey });
  response.status(201).json(position);
}

process.once("SIGTERM", end);
process.once("SIGINT", end);

/** Tells the clients to go elsewhere, finishes what was begun, and ends. */
function end(): void {
  void pm.drain({ graceSecs: 0, windowSecs: 1, deadlineSecs: 5 }, () => httpServer.close());
}

await new Promise<void>((resolve) => httpServer.listen(Number(process.env["PORT"] ?? 8080), "127.0.0.1", resolve));
const host = `127.0.0.1:${(httpServer.address() as AddressInfo).port}`;
const token = await new SignJWT({ tenant_id: "acme" })
  .setProtectedHeader({ alg: "HS256" })
  .setSubject("ada")
  .setIssuedAt()
  .setExpirationTime("12h")
  .sign(new TextEncoder().encode(secret));
const curl = `curl -H 'Authorization: Bearer ${token}' --json '{"text":"hello"}' http://${host}`;
console.log(`
Listen:

  npx --yes pnpm@12 --silent pmctl listen --url ws://${host}/ws --token ${token} project:42 user

Publish to a channel, to a user, to the tenant:

  ${curl}/projects/42/tasks
  ${curl}/users/ada/messages
  ${curl}/announcements`);
