import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type ClientMessage,
  decodeClientFrame,
  type Encoding,
  encodeServerElement,
  encodingOf,
  type ServerMessageInit,
} from "@pm/proto";
import { type WebSocket, WebSocketServer } from "ws";

/** What a test says of one connection: it hears the commands and answers what it likes. */
export type Script = (connection: ScriptedConnection) => void | Promise<void>;

type CommandCase = NonNullable<ClientMessage["body"]["case"]>;

/** A command and its id. */
export interface Received<Case extends CommandCase> {
  readonly id: number;
  readonly value: Extract<ClientMessage["body"], { case: Case }>["value"];
}

/** The server's side of one connection. */
export class ScriptedConnection {
  readonly request: IncomingMessage;
  readonly encoding: Encoding;
  readonly socket: WebSocket;
  readonly #received: ClientMessage[] = [];
  readonly #waiting: ((message: ClientMessage) => void)[] = [];

  constructor(socket: WebSocket, request: IncomingMessage) {
    this.socket = socket;
    this.request = request;
    this.encoding = encodingOf(socket.protocol) ?? "proto";
    socket.on("message", (data, isBinary) => {
      const frame = isBinary ? new Uint8Array(data as Buffer) : (data as Buffer).toString();
      for (const message of decodeClientFrame(frame, this.encoding)) this.#take(message);
    });
  }

  /** Sends messages as one frame. */
  send(...messages: ServerMessageInit[]): void {
    const elements = messages.map((message) => Buffer.from(encodeServerElement(message, this.encoding)));
    if (this.encoding === "proto") this.socket.send(Buffer.concat(elements));
    else this.socket.send(`{"messages":[${elements.map(String).join(",")}]}`);
  }

  welcome(): void {
    const value = {
      connectionId: "c",
      tenantId: "acme",
      userId: "pmctl",
      heartbeatIntervalMs: 25_000,
      heartbeatTimeoutMs: 10_000,
    };
    this.send({ body: { case: "welcome", value } });
  }

  /** The next command of this kind; others before it are passed over. */
  async next<Case extends CommandCase>(kind: Case): Promise<Received<Case>> {
    for (;;) {
      const { id, body } = this.#received.shift() ?? (await this.#arrival());
      if (body.case === kind) return { id, value: body.value } as Received<Case>;
    }
  }

  #arrival(): Promise<ClientMessage> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #take(message: ClientMessage): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#received.push(message);
    else waiting(message);
  }
}

/** A real WebSocket server on a free port; the n-th connection follows the n-th script. */
export class ScriptedServer implements AsyncDisposable {
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #scripts: Script[];
  readonly connections: ScriptedConnection[] = [];
  /** What a script threw. */
  readonly failures: unknown[] = [];

  private constructor(http: Server, scripts: readonly Script[]) {
    this.#http = http;
    this.#scripts = [...scripts];
    this.#sockets = new WebSocketServer({
      server: http,
      handleProtocols: (offered) => [...offered].find((one) => encodingOf(one) !== undefined) ?? false,
    });
    this.#sockets.on("connection", (socket, request) => void this.#follow(new ScriptedConnection(socket, request)));
  }

  static async start(...scripts: readonly Script[]): Promise<ScriptedServer> {
    const http = createServer();
    const server = new ScriptedServer(http, scripts);
    await new Promise<void>((resolve) => {
      http.listen(0, "127.0.0.1", resolve);
    });
    return server;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}/ws`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
    await new Promise((resolve) => {
      this.#http.close(resolve);
    });
  }

  async #follow(connection: ScriptedConnection): Promise<void> {
    this.connections.push(connection);
    try {
      await this.#scripts.shift()?.(connection);
    } catch (error) {
      this.failures.push(error);
    }
  }
}

/** A plain HTTP server that answers every upgrade like this. */
export async function refusingServer(
  answer: (response: ServerResponse) => void,
): Promise<AsyncDisposable & { url: string }> {
  const http = createServer((_request, response) => answer(response));
  // Without a listener for upgrades Node hands them to the one for requests.
  await new Promise<void>((resolve) => {
    http.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/ws`,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      await new Promise((resolve) => {
        http.close(resolve);
      });
    },
  };
}
