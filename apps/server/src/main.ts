import { requireNode } from "./require-node.ts";

requireNode("pm");
const { runServer } = await import("./run-server.ts");
await runServer();
