import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  ClientMessageSchema,
  decodeServerFrame,
  type Encoding,
  encodeClientFrame,
  type ErrorMessage,
  type ServerMessage,
  SUBPROTOCOLS,
  type Welcome,
} from "@pm/proto";
import { WebSocket } from "ws";
import { Inbox } from "./inbox.ts";
import { type TokenSubject, tokenFor } from "./token.ts";

/** The body of a command, as `create` takes it. */
export type Command = NonNullable<MessageInitShape<typeof ClientMessageSchema>["body"]>;
export type ReplyBody = ServerMessage["body"];
type Case = NonNullable<ReplyBody["case"]>;
/** The value of a server's message of one kind. */
export type ValueOf<K extends Case> = Extract<ReplyBody, { case: K }>["value"];

/** How a client connects. */
export interface ProtocolClientOptions extends TokenSubject {
  /** @default a good token for the subject */
  readonly token?: string | undefined;
  /** @default "proto" */
  readonly encoding?: Encoding | undefined;
  /** Where the token goes. @default "header" */
  readonly via?: "header" | "subprotocol" | undefined;
  /** @default true */
  readonly autoPong?: boolean | undefined;
}

/** How a connection ended. */
export interface Closure {
  readonly code: number;
  /** By `performance.now()`. */
  readonly atMs: number;
}

/** A client of pm.v1 that does as it is told: it never reconnects and keeps everything it receives. */
export class ProtocolClient implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #encoding: Encoding;
  readonly #inbox = new Inbox<ServerMessage>();
  #lastId = 0;
  /** Resolved when the connection has ended. */
  readonly closed: Promise<Closure>;

  private constructor(socket: WebSocket, encoding: Encoding) {
    this.#socket = socket;
    this.#encoding = encoding;
    socket.on("message", (data: Buffer, isBinary) => {
      const frame = isBinary ? new Uint8Array(data) : data.toString("utf8");
      for (const message of decodeServerFrame(frame, encoding)) this.#inbox.push(message);
    });
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once("close", (code) => {
        this.#inbox.end(`the connection was closed with ${code}`);
        resolve({ code, atMs: performance.now() });
      });
    });
  }

  /** Opens a connection without waiting for Welcome. Rejects when the upgrade is refused. */
  static async open(server: { readonly url: string }, options: ProtocolClientOptions = {}): Promise<ProtocolClient> {
    const encoding = options.encoding ?? "proto";
    const token = options.token ?? (await tokenFor(options));
    const inHeader = options.via !== "subprotocol";
    const subprotocols = inHeader ? [SUBPROTOCOLS[encoding]] : [SUBPROTOCOLS[encoding], `pm.v1.bearer.${token}`];
    const socket = new WebSocket(server.url, subprotocols, {
      ...(inHeader ? { headers: { authorization: `Bearer ${token}` } } : {}),
      autoPong: options.autoPong ?? true,
      perMessageDeflate: false,
    });
    const client = new ProtocolClient(socket, encoding);
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    return client;
  }

  /** Opens a connection and waits for Welcome and the pushed Subscribed of `tenant`. */
  static async connect(server: { readonly url: string }, options: ProtocolClientOptions = {}): Promise<ProtocolClient> {
    const client = await ProtocolClient.open(server, options);
    await client.take("welcome");
    await client.take("subscribed");
    return client;
  }

  /** The subprotocol that the server selected. */
  get subprotocol(): string {
    return this.#socket.protocol;
  }

  /** Everything that came, in order. */
  get messages(): readonly ServerMessage[] {
    return this.#inbox.all;
  }

  get welcome(): Welcome {
    const [first] = this.messages;
    if (first?.body.case !== "welcome") throw new Error("Welcome has not come first");
    return first.body.value;
  }

  /** Everything of one kind that came, in order. */
  received<K extends Case>(kind: K): ValueOf<K>[] {
    return this.messages.flatMap(({ body }) => (body.case === kind ? [body.value as ValueOf<K>] : []));
  }

  /** Takes the next push or reply of a kind. */
  async take<K extends Case>(kind: K, timeoutMs?: number): Promise<ValueOf<K>> {
    const matches = (message: ServerMessage): message is ServerMessage => message.body.case === kind;
    const { body } = await this.#inbox.take(matches, kind, timeoutMs);
    return body.value as ValueOf<K>;
  }

  /** Sends commands in one frame, with ids, and gives these. */
  send(...commands: Command[]): number[] {
    const messages = commands.map((body) => create(ClientMessageSchema, { id: ++this.#lastId, body }));
    this.sendRaw(encodeClientFrame(messages, this.#encoding));
    return messages.map(({ id }) => id);
  }

  /** Sends one WebSocket message, whatever it is: text for a string, else binary. */
  sendRaw(data: string | Uint8Array): void {
    this.#socket.send(data);
  }

  /** Takes the reply to an id. */
  async reply(id: number, timeoutMs?: number): Promise<ReplyBody> {
    const matches = (message: ServerMessage): message is ServerMessage => message.replyTo === id;
    return (await this.#inbox.take(matches, `reply to ${id}`, timeoutMs)).body;
  }

  /** Sends a command in a frame of its own and takes its reply. */
  async request(command: Command, timeoutMs?: number): Promise<ReplyBody> {
    const [id = 0] = this.send(command);
    return this.reply(id, timeoutMs);
  }

  /** Sends a command and expects a reply of one kind. */
  async expect<K extends Case>(kind: K, command: Command, timeoutMs?: number): Promise<ValueOf<K>> {
    const body = await this.request(command, timeoutMs);
    if (body.case !== kind) throw new Error(`expected ${kind}, got ${body.case} ${errorCode(body)}`);
    return body.value as ValueOf<K>;
  }

  subscribe(channel: string): Promise<ValueOf<"subscribed">> {
    return this.expect("subscribed", { case: "subscribe", value: { channel } });
  }

  publish(channel: string, json: string): Promise<ValueOf<"published">> {
    return this.expect("published", publishOf(channel, json));
  }

  /** Sends a command that has to fail, and gives the error. */
  refusal(command: Command): Promise<ErrorMessage> {
    return this.expect("error", command);
  }

  /** Closes with 1000 and waits for it. */
  close(): Promise<Closure> {
    this.#socket.close(1000);
    return this.closed;
  }

  terminate(): void {
    this.#socket.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.terminate();
    await this.closed;
  }
}

/** A Publish of JSON text. */
export function publishOf(channel: string, json: string): Command {
  return { case: "publish", value: { channel, payload: { kind: { case: "json", value: json } } } };
}

/** The JSON text that a publication carries. */
export function jsonOf(publication: ValueOf<"publication">): string | undefined {
  const { kind } = publication.payload ?? {};
  return kind?.case === "json" ? kind.value : undefined;
}

function errorCode(body: ReplyBody): string {
  return body.case === "error" ? `${body.value.code} (${body.value.field})` : "";
}
