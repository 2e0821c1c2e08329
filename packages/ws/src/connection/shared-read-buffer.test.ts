import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { buffer as whole } from "node:stream/consumers";
import { TLSSocket } from "node:tls";
import { expect, test } from "vitest";
import { SharedReadBuffer } from "./shared-read-buffer.ts";

const MANY_BYTES = 3_000_000;

interface Pair extends AsyncDisposable {
  readonly client: Socket;
  /** The server's end. */
  readonly socket: Socket;
}

async function connectedPair(): Promise<Pair> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const client = connect(address.port, "127.0.0.1");
  const [socket] = (await once(server, "connection")) as [Socket];
  return {
    client,
    socket,
    async [Symbol.asyncDispose]() {
      client.destroy();
      socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

test("given a socket of this Node's server, when it uses the buffer, then it can", async () => {
  await using pair = await connectedPair();
  expect(new SharedReadBuffer().use(pair.socket)).toBe(true);
});

test("given two sockets, when both send much at once, then each is read whole, to its end, and without the other's", async () => {
  await using one = await connectedPair();
  await using other = await connectedPair();
  const shared = new SharedReadBuffer();
  const sent = [randomBytes(MANY_BYTES), randomBytes(MANY_BYTES)] as const;
  for (const { socket } of [one, other]) shared.use(socket);
  const read = Promise.all([whole(one.socket), whole(other.socket)]);
  one.client.end(sent[0]);
  other.client.end(sent[1]);
  expect((await read).map(sha256)).toEqual(sent.map(sha256));
});

test("given what came before and is not read yet, when it uses the buffer, then nothing is lost and the order is kept", async () => {
  await using pair = await connectedPair();
  pair.socket.resume();
  pair.socket.pause();
  pair.client.write("before ");
  await once(
    pair.socket.once("readable", () => {}),
    "readable",
  );
  new SharedReadBuffer().use(pair.socket);
  pair.client.end("after");
  expect((await whole(pair.socket)).toString()).toBe("before after");
});

test("given a reader that stops again and again, when much is sent, then all of it comes, and the kernel holds it back", async () => {
  await using pair = await connectedPair();
  const sent = randomBytes(MANY_BYTES);
  new SharedReadBuffer().use(pair.socket);
  const chunks: Buffer[] = [];
  pair.socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    pair.socket.pause();
    expect(pair.socket.readableLength).toBe(0);
    setImmediate(() => pair.socket.resume());
  });
  pair.client.end(sent);
  await once(pair.socket, "end");
  expect(sha256(Buffer.concat(chunks))).toBe(sha256(sent));
  for (const { length } of chunks) expect(length).toBeLessThan(4_096);
});

test("given a peer that resets, when it uses the buffer, then the socket ends as it always does", async () => {
  await using pair = await connectedPair();
  new SharedReadBuffer().use(pair.socket);
  const failed = once(pair.socket, "error");
  pair.socket.resume();
  pair.client.resetAndDestroy();
  expect(await failed).toEqual([expect.objectContaining({ code: "ECONNRESET" })]);
});

test("given another kind of stream, when it is to use the buffer, then it is read as before", async () => {
  const stream = new PassThrough();
  expect(new SharedReadBuffer().use(stream)).toBe(false);
  stream.end("as before");
  expect((await whole(stream)).toString()).toBe("as before");
});

test("given a socket of TLS, when it is to use the buffer, then it is left alone, before others and after them", async () => {
  await using pair = await connectedPair();
  await using other = await connectedPair();
  const encrypted = new TLSSocket(pair.socket, { isServer: true });
  encrypted.on("error", () => undefined);
  const shared = new SharedReadBuffer();
  expect([shared.use(encrypted), shared.use(other.socket), shared.use(encrypted)]).toEqual([false, true, false]);
  encrypted.destroy();
});
