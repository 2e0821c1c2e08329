import { PmClient } from "@pm/client";
import { expect, it } from "vitest";
import { Child } from "./child-process.ts";

it("given the express example, when tasks, messages and announcements are posted, then a client gets each", async () => {
  await using service = new Child("examples/express/main.ts", { env: { PORT: "0" } });
  const token = await service.printed(/--token (\S+)/);
  const host = await service.printed(/ws:\/\/([\d.:]+)\/ws/);
  await using client = new PmClient({ url: `ws://${host}/ws`, getToken: () => token });
  const seen: string[] = [];
  for (const name of ["project:42", "user", "tenant"]) {
    const channel = client.channel(name);
    channel.on("publication", ({ data }) => seen.push(`${name} ${JSON.stringify(data)}`));
    void client.connect();
    await channel.subscribe();
  }
  const post = (path: string, text: string) =>
    fetch(`http://${host}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "idempotency-key": text },
      body: JSON.stringify({ text }),
    });

  const first = await post("/projects/42/tasks", "one");
  const again = await post("/projects/42/tasks", "one");
  await post("/users/ada/messages", "two");
  await post("/announcements", "three");

  expect(first.status).toBe(201);
  expect(await again.json()).toEqual(await first.json());
  await expect.poll(() => seen).toHaveLength(3);
  expect(seen).toEqual(['project:42 {"text":"one"}', 'user {"text":"two"}', 'tenant {"text":"three"}']);
  await expect(client.channel("project:42").publish({ text: "from a client" })).rejects.toMatchObject({
    code: "PERMISSION_DENIED",
  });

  service.signal("SIGTERM");
  expect(await service.exited).toBe(0);
});

it("given the express example, when a request has no token, then it is refused", async () => {
  await using service = new Child("examples/express/main.ts", { env: { PORT: "0" } });
  const host = await service.printed(/ws:\/\/([\d.:]+)\/ws/);

  const response = await fetch(`http://${host}/announcements`, { method: "POST" });

  expect(response.status).toBe(401);
});
