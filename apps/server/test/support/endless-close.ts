// Loaded into a server before it starts (node --import). Its connections never end closing, and SIGUSR2 makes a fault.
import { WsServer } from "@pm/ws";

Object.defineProperty(WsServer.prototype, "close", { value: () => new Promise(() => undefined) });
process.on("SIGUSR2", () => {
  // Something that would keep the process.
  setInterval(() => undefined, 1_000);
  setTimeout(() => {
    throw new Error("boom");
  });
});
