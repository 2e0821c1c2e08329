import { createServer } from "node:http";
import { Server } from "socket.io";

// Socket.IO with its own rooms, over WebSockets from the beginning. Run as a process: `node socket-io.js <port>`.

interface ClientEvents {
  subscribe(room: string, done: () => void): void;
  publish(room: string, payload: string): void;
}

interface ServerEvents {
  message(payload: string): void;
}

const http = createServer((_request, response) => response.writeHead(404).end());
const server = new Server<ClientEvents, ServerEvents>(http, {
  transports: ["websocket"],
  perMessageDeflate: false,
  serveClient: false,
});

server.on("connection", (socket) => {
  socket.on("subscribe", (room, done) => {
    void socket.join(room);
    done();
  });
  socket.on("publish", (room, payload) => {
    server.to(room).emit("message", payload);
  });
});

http.listen(Number(process.argv[2]), "127.0.0.1");
