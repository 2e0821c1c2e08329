import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Child } from "./child-process.ts";
import { type PmServer, SECRET, startServer } from "./pm-server.ts";

async function publish({ opsHost }: PmServer, payload: string): Promise<void> {
  const response = await fetch(`http://${opsHost}/pm.v1.OpsService/Publish`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ tenantId: "acme", channel: "project:42", payload: { json: payload } }),
  });
  expect(response.status).toBe(200);
}

function startWorker({ host }: PmServer, positionFile: string): Child {
  const env = { PM_URL: `ws://${host}/ws`, JWT_SECRET: SECRET, POSITION_FILE: positionFile };
  return new Child("examples/worker/main.ts", { args: ["project:42"], env });
}

it("given a worker that has ended, when another one starts, then it goes on where the first one was", async () => {
  await using server = await startServer();
  const positionFile = join(server.process.folder, "position.json");
  const offset = () => (JSON.parse(readFileSync(positionFile, "utf8")) as { offset: number }).offset;
  {
    await using worker = startWorker(server, positionFile);
    await worker.printed(/client: connected/);
    // It subscribes with the connection; what comes before that is not its business yet.
    while (!worker.output.includes("first")) await publish(server, '{"text":"first"}');
    worker.signal("SIGTERM");
    expect(await worker.exited).toBe(0);
  }
  const seen = offset();
  await publish(server, '{"text":"while nobody was there"}');
  await publish(server, '{"not":"a job"}');

  await using worker = startWorker(server, positionFile);

  expect(Number(await worker.printed(/(\d+): while nobody was there/))).toBeGreaterThan(seen);
  await publish(server, '{"text":"live again"}');
  await worker.printed(/live again\n/);
  await expect.poll(offset).toBeGreaterThanOrEqual(seen + 3);
  expect(worker.output).toMatch(/recovered: \d+ to catch up on/);
});

it("given a worker, when its server begins anew, then it says that it missed something", async () => {
  await using first = await startServer();
  const positionFile = join(first.process.folder, "position.json");
  await using worker = startWorker(first, positionFile);
  await worker.printed(/client: connected/);
  while (!worker.output.includes("first")) await publish(first, '{"text":"first"}');
  first.process.signal("SIGTERM");
  await first.process.exited;
  await worker.printed(/client: waiting/);

  await using second = await startServer({ BIND_ADDR: first.host });
  await worker.printed(/(client: connected)[^]*client: connected/, 15_000);
  while (!worker.output.includes("second")) await publish(second, '{"text":"second"}');

  expect(worker.errors).toMatch(/missed \w+: EPOCH_CHANGED/);
});

it("given no secret, when a worker starts, then it says which variable is missing, and ends", async () => {
  await using worker = new Child("examples/worker/main.ts");

  expect(await worker.exited).toBe(2);
  expect(worker.errors).toBe("worker: JWT_SECRET is not set; that of a server in development is in data/dev-secret\n");
});

it("given no server yet, when a worker is ended, then it ends without a complaint", async () => {
  await using worker = new Child("examples/worker/main.ts", {
    env: { PM_URL: "ws://127.0.0.1:9/ws", JWT_SECRET: SECRET, POSITION_FILE: "none.json" },
  });
  await worker.printed(/client: waiting/);

  worker.signal("SIGINT");

  expect(await worker.exited).toBe(0);
  expect(worker.errors).toBe("");
});
