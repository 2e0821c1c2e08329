// A worker that takes what is published in a channel, one after the other, and goes on where it was: after a lost
// connection, and after its own end.
//
//   JWT_SECRET="$(cat data/dev-secret)" npx --yes pnpm@12 exec node examples/worker/main.ts project:42
//
// PM_URL is that of the server, POSITION_FILE where it notes how far it is: beside this program, unless it says
// otherwise.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { json, PmClient, type PmClientError, type StreamPosition } from "@pm/client";
import { SignJWT } from "jose";

const channelName = process.argv[2] ?? "project:42";
const url = process.env["PM_URL"] ?? "ws://127.0.0.1:3000/ws";
const positionFile = process.env["POSITION_FILE"] ?? join(import.meta.dirname, "position.json");
const secret = new TextEncoder().encode(process.env["JWT_SECRET"]);
if (secret.length === 0) {
  console.error("worker: JWT_SECRET is not set; that of a server in development is in data/dev-secret");
  process.exit(2);
}

/** What is published in the channel. */
interface Job {
  readonly text: string;
}

const client = new PmClient({
  url,
  // Called again before the token expires.
  getToken: () =>
    new SignJWT({ tenant_id: "acme", channels: [{ pattern: channelName, allow: ["subscribe", "history"] }] })
      .setProtectedHeader({ alg: "HS256" })
      .setSubject("worker")
      .setIssuedAt()
      .setExpirationTime("10m")
      .sign(secret),
});
client.on("state", (state) => console.log(`client: ${state.kind}`));
client.on("tokenError", (error) => console.error(`token: ${error.message}`));

const jobs = client.channel(channelName, { since: readPosition(), payload: json(jobOf) });
jobs.on("recovered", ({ behind }) => console.log(`recovered: ${behind} to catch up on`));
jobs.on("invalid", ({ position, error }) => console.error(`skipped ${position.offset}: ${error.message}`));

process.once("SIGTERM", () => void client.close());
process.once("SIGINT", () => void client.close());

// The loop connects nothing by itself; whatever becomes of the connection, it just goes on.
client.connect().catch(({ code, message }: PmClientError) => {
  if (code !== "CLOSED") console.error(message);
});
for await (const { position, data, missedBefore } of jobs) {
  // Never silently: here the worker would fetch the state anew from wherever that is kept.
  if (missedBefore !== undefined) console.error(`missed ${missedBefore.count ?? "some"}: ${missedBefore.reason}`);
  console.log(`${position.offset}: ${data.text}`);
  // Noted after the work is done: a worker that ends in between does it again.
  writePosition(position);
}

function jobOf(value: unknown): Job {
  if (typeof value === "object" && value !== null && "text" in value && typeof value.text === "string") {
    return { text: value.text };
  }
  throw new TypeError("a job has a text");
}

function readPosition(): StreamPosition | undefined {
  try {
    return JSON.parse(readFileSync(positionFile, "utf8")) as StreamPosition;
  } catch {
    return undefined;
  }
}

/** Renamed into place, so that there is always a whole one. */
function writePosition(position: StreamPosition): void {
  writeFileSync(`${positionFile}.new`, JSON.stringify(position));
  renameSync(`${positionFile}.new`, positionFile);
}
