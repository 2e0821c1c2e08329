import { it } from "vitest";
import { PmClient } from "../src/index.ts";
import { PmServerProcess, signToken } from "./pm-server.ts";
it("smoke", async () => {
  await using server = await PmServerProcess.start();
  for (const encoding of ["proto", "json"] as const) {
    await using client = new PmClient({ url: server.url, getToken: () => signToken(), encoding });
    client.on("state", (s) => console.log(s));
    client.on("error", (s) => console.log(s));
    client.on("tokenError", (s) => console.log(s));
    await client.connect();
    const channel = client.channel("project:" + encoding);
    channel.on("state", (s) => console.log(s));
    await channel.subscribe();
    const done = (async () => {
      let n = 0;
      for await (const p of channel) {
        console.log(p);
        if (++n === 3) break;
      }
    })();
    console.log(await channel.publish({ hello: 1 }, { event: "e" }));
    console.log(await channel.publish(new Uint8Array([1, 2, 3])));
    console.log(await channel.publish("ä"));
    await done;
    console.log(await channel.history());
  }
});
