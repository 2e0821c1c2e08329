import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { clientFrame, Opcode } from "../src/wire/client-frame.ts";
import { type CloseReason, type ConnectionHandler, RawConnection } from "../src/wire/raw-connection.ts";
import { upgradeRequest } from "../src/wire/upgrade-request.ts";

/** What a connection was told, in order. */
class Recorder implements ConnectionHandler {
  readonly bodies: Buffer[] = [];
  readonly upgraded: () => void;
  readonly isUpgraded: Promise<void>;
  readonly isClosed: Promise<CloseReason>;
  readonly closed: (reason: CloseReason) => void;
  readonly #received: (() => void)[] = [];

  constructor() {
    const upgrade = Promise.withResolvers<void>();
    const close = Promise.withResolvers<CloseReason>();
    this.upgraded = upgrade.resolve;
    this.isUpgraded = upgrade.promise;
    this.closed = close.resolve;
    this.isClosed = close.promise;
  }

  data(bytes: Buffer, start: number, end: number): void {
    this.bodies.push(Buffer.from(bytes.subarray(start, end)));
    for (const resolve of this.#received.splice(0)) resolve();
  }

  async has(count: number): Promise<void> {
    while (this.bodies.length < count) await new Promise<void>((resolve) => this.#received.push(resolve));
  }
}

const receiveBuffer = Buffer.alloc(64 * 1024);
let http: Server;
let server: WebSocketServer;

beforeEach(async () => {
  http = createServer().listen(0, "127.0.0.1");
  server = new WebSocketServer({ server: http, path: "/ws" });
  await once(http, "listening");
});

afterEach(() => {
  for (const client of server.clients) client.terminate();
  http.closeAllConnections();
  http.close();
});

function connect(recorder: Recorder, path = "/ws"): RawConnection {
  const { port } = http.address() as AddressInfo;
  const request = upgradeRequest({ host: "127.0.0.1", port, path });
  return new RawConnection({ host: "127.0.0.1", port, localAddress: "127.0.0.2", receiveBuffer }, request, recorder);
}

async function accepted(): Promise<WebSocket> {
  const [socket] = (await once(server, "connection")) as [WebSocket];
  return socket;
}

describe("RawConnection", () => {
  it("given a server that echoes, when bodies of all sizes are sent, then they come back as they were", async () => {
    server.on("connection", (socket) => socket.on("message", (message) => socket.send(message)));
    const recorder = new Recorder();
    const connection = connect(recorder);
    await recorder.isUpgraded;
    const bodies = [0, 1, 125, 126, 65_535, 65_536, 300_000].map((size) => Buffer.alloc(size, "ab"));
    for (const body of bodies) connection.send(clientFrame(Opcode.binary, body));
    await recorder.has(bodies.length);
    expect(recorder.bodies.map((body, n) => body.equals(bodies[n] ?? Buffer.alloc(1)))).toEqual(bodies.map(() => true));
    connection.destroy();
    expect(await recorder.isClosed).toEqual({ code: undefined, text: "the connection was cut" });
  });

  it("given frames right behind the handshake, when they come, then none is lost", async () => {
    server.on("connection", (socket) => {
      for (let n = 0; n < 3; n++) socket.send(`m${n}`);
    });
    const recorder = new Recorder();
    const connection = connect(recorder);
    await recorder.has(3);
    expect(recorder.bodies.map(String)).toEqual(["m0", "m1", "m2"]);
    connection.destroy();
  });

  it("given a ping, when it comes, then it is answered", async () => {
    const socket = accepted();
    const recorder = new Recorder();
    const connection = connect(recorder);
    const peer = await socket;
    const pong = once(peer, "pong");
    peer.ping("are you there");
    expect(String((await pong)[0])).toBe("are you there");
    connection.destroy();
  });

  it("given a connection that does not read, when more is sent than buffers hold, then the server keeps it", async () => {
    const socket = accepted();
    const recorder = new Recorder();
    const connection = connect(recorder);
    const peer = await socket;
    await recorder.isUpgraded;
    connection.pause();
    for (let n = 0; n < 100; n++) peer.send(Buffer.alloc(100_000));
    await expect.poll(() => peer.bufferedAmount).toBeGreaterThan(0);
    expect(recorder.bodies).toEqual([]);
    connection.destroy();
  });

  it("given a close frame, when it comes, then the connection ends with its code", async () => {
    server.on("connection", (socket) => socket.close(4008, "too slow"));
    const recorder = new Recorder();
    connect(recorder);
    expect(await recorder.isClosed).toEqual({ code: 4008, text: "closed with 4008 too slow" });
  });

  it("given a refusal, or nobody there, when it connects, then it says why", async () => {
    const refused = new Recorder();
    connect(refused, "/elsewhere");
    expect(await refused.isClosed).toMatchObject({
      code: 400,
      text: expect.stringContaining("HTTP/1.1 400") as string,
    });
    http.close();
    await once(http, "close");
    const nobody = new Recorder();
    const endpoint = { host: "127.0.0.1", port: 1, receiveBuffer };
    const connection = new RawConnection(endpoint, "", nobody);
    expect((await nobody.isClosed).text).toContain("ECONNREFUSED");
    connection.destroy();
  });
});
