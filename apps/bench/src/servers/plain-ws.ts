import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { CHANNEL_NAME_BYTES } from "../dialect/dialect.ts";
import { PlainOp } from "../dialect/plain-ws-dialect.ts";

// The yardstick: what a broadcast over ws costs when nothing else is done. Run as a process: `node plain-ws.js <port>`.

const SUBSCRIBED = Buffer.from([PlainOp.subscribed]);

const channels = new Map<string, Set<WebSocket>>();
const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]), perMessageDeflate: false });

server.on("connection", (socket) => {
  socket.on("error", () => socket.terminate());
  socket.on("message", (message) => receive(socket, message));
  socket.on("close", () => {
    for (const clients of channels.values()) clients.delete(socket);
  });
});

function receive(socket: WebSocket, message: RawData): void {
  if (!Buffer.isBuffer(message)) return;
  const channel = message.toString("latin1", 1, 1 + CHANNEL_NAME_BYTES);
  const clients = channels.get(channel);
  if (message[0] === PlainOp.publish) {
    for (const client of clients ?? []) client.send(message);
    return;
  }
  if (clients === undefined) channels.set(channel, new Set([socket]));
  else clients.add(socket);
  socket.send(SUBSCRIBED);
}
