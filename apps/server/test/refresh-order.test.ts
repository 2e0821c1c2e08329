import { expect, it } from "vitest";
import { ProtocolClient } from "./support/protocol-client.ts";
import { ServerProcess } from "./support/server-process.ts";
import { tokenFor } from "./support/token.ts";

it("given two refreshes in one frame, when the first takes longer to verify, then the last is in force and is answered last", async () => {
  await using server = await ServerProcess.start();
  const less = await tokenFor({ channels: [{ pattern: "keep", allow: ["publish"] }] });
  // Its verification is remembered from now on, so it is the faster one.
  await using known = await ProtocolClient.connect(server, { token: less });
  for (let round = 0; round < 20; round += 1) {
    const more = await tokenFor({ roles: [`round-${round}`] });
    await using client = await ProtocolClient.connect(server);
    const ids = client.send(
      { case: "refreshToken", value: { token: more } },
      { case: "refreshToken", value: { token: less } },
    );
    await Promise.all(ids.map((id) => client.reply(id)));
    const answered = client.messages.filter(({ body }) => body.case === "tokenRefreshed").map(({ replyTo }) => replyTo);
    const { code } = await client.refusal({ case: "publish", value: { channel: "lost" } });
    expect([round, answered, code]).toEqual([round, ids, "PERMISSION_DENIED"]);
  }
  await known.close();
});
