import { Opcode, textFrame } from "../wire/client-frame.ts";
import { StampedFrame } from "../wire/stamped-frame.ts";
import type { Dialect } from "./dialect.ts";

// Packets of Engine.IO 4 (0 open, 2 ping, 3 pong, 4 message) around those of Socket.IO 5 (0 connect, 2 event, 3 ack).

const PING = "2".charCodeAt(0);
const PONG = textFrame("3");

/** Speaks to a Socket.IO server, over WebSockets from the beginning. */
export const socketIoDialect: Dialect = {
  path: "/socket.io/?EIO=4&transport=websocket",
  subprotocol: undefined,
  needsToken: false,
  login: [
    { kind: "wait", bytes: Buffer.from("0{") },
    { kind: "send", frame: textFrame("40") },
    { kind: "wait", bytes: Buffer.from("40{") },
  ],
  subscribe: (channel) => [
    { kind: "send", frame: textFrame(`420${JSON.stringify(["subscribe", channel])}`) },
    { kind: "wait", bytes: Buffer.from("430[") },
  ],
  publish: (channel, payload) =>
    new StampedFrame(Opcode.text, Buffer.from(`42${JSON.stringify(["publish", channel, payload])}`)),
  answer: (bytes, start, end) => (end - start === 1 && bytes[start] === PING ? PONG : undefined),
};
