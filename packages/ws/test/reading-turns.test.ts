import { create } from "@bufbuild/protobuf";
import { parseTenantId } from "@pm/core";
import { ClientMessageSchema, encodeClientFrame, SUBPROTOCOLS } from "@pm/proto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, it } from "vitest";
import type { WsServer } from "../src/index.ts";
import { RealServer } from "./support/real-server.ts";

const NOISY = parseTenantId("noisy");
const SENDERS = 8;
const MESSAGES = 20_000;
const TAKEN_IN_ALL = SENDERS * MESSAGES;
const ONE = publishFrame();
/** What a sender may send before it has to wait, and what comes along with the last of it in one read. */
const ONE_TURN = 64 + Math.ceil(4_096 / ONE.length);
/** Each sender is read once before it first has to wait; a turn of deliveries has six more read on at the most. */
const MOST_BETWEEN_TURNS = (SENDERS + 6) * ONE_TURN;

/** A publish to a channel that nobody reads, masked with zeros. */
function publishFrame(): Buffer {
  const publish = { channel: "aside", payload: { kind: { case: "json", value: "1" } } } as const;
  const message = create(ClientMessageSchema, { body: { case: "publish", value: publish } });
  const content = Buffer.from(encodeClientFrame([message], "proto"));
  return Buffer.concat([Buffer.from([0x82, 0x80 | content.length, 0, 0, 0, 0]), content]);
}

/** A connection of the noisy tenant, when its upgrade is done. */
async function connectSender(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  const request = [
    "GET /ws HTTP/1.1",
    "Host: 127.0.0.1",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    `Sec-WebSocket-Protocol: ${SUBPROTOCOLS.proto}`,
    "Authorization: Bearer noisy.sender",
  ];
  socket.write(`${request.join("\r\n")}\r\n\r\n`);
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer.toString("latin1")).toMatch(/^HTTP\/1\.1 101 /);
  return socket.resume();
}

function takenFrom(server: WsServer): number {
  return [...server.connections.find({ tenant: NOISY })].reduce((sum, { messagesIn }) => sum + messagesIn, 0);
}

/** Waits until all is taken; the most that was taken in one round of the event loop. */
async function mostInOneRound(server: WsServer): Promise<number> {
  let most = 0;
  for (let taken = 0; taken < TAKEN_IN_ALL; ) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = takenFrom(server);
    most = Math.max(most, now - taken);
    taken = now;
  }
  return most;
}

it("given senders whose sockets are never empty, when the event loop goes round, then little is taken of them at a time, and others come between", async () => {
  await using real = await RealServer.start();
  const quiet = await real.connect("quiet", "u");
  await quiet.subscribe("room:1");
  const senders = await Promise.all(Array.from({ length: SENDERS }, () => connectSender(real.port)));
  const block = Buffer.concat(Array<Buffer>(MESSAGES).fill(ONE));
  for (const socket of senders) socket.write(block);
  const most = mostInOneRound(real.server);
  await quiet.publish("room:1", "q1");
  await quiet.reaches("room:1", 1);
  expect(takenFrom(real.server)).toBeLessThan(TAKEN_IN_ALL / 2);
  expect(await most).toBeLessThanOrEqual(MOST_BETWEEN_TURNS);
  for (const socket of senders) socket.destroy();
});
