import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  ClientMessageSchema,
  decodeServerFrame,
  encodeClientFrame,
  type Encoding,
  type ServerMessage,
  SUBPROTOCOLS,
} from "@pm/proto";
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import { Conditions } from "../../src/testing/conditions.ts";
import type { SimulatedServer } from "./simulated-server.ts";

/** A message as a client writes it. */
export type MessageToSend = MessageInitShape<typeof ClientMessageSchema>;

/** Sends frames as they are, and keeps what comes, in order. */
export class MessageClient {
  /** Everything since the Subscribed of the tenant-wide channel. */
  readonly messages: ServerMessage[] = [];
  closeCode: number | undefined;
  closeReason = "";
  readonly encoding: Encoding;
  readonly #webSocket: WebSocket;
  readonly #conditions = new Conditions();
  #isWelcome = false;

  private constructor(simulation: SimulatedServer, token: string, encoding: Encoding) {
    this.encoding = encoding;
    this.#webSocket = new WebSocket("ws://memory/ws", [SUBPROTOCOLS[encoding]], {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
      createConnection: (() => simulation.connect()) as unknown as () => Socket,
    });
    this.#webSocket.on("message", (data, isBinary) => this.#onFrame(data as Buffer, isBinary));
    this.#webSocket.on("close", (code, reason) => this.#onClosed(code, reason.toString()));
  }

  /** A client of the user in a token, once it is subscribed to its tenant's channel. */
  static async open(
    simulation: SimulatedServer,
    token = "t1.u1",
    encoding: Encoding = "proto",
  ): Promise<MessageClient> {
    const client = new MessageClient(simulation, token, encoding);
    await client.until(() => client.#isWelcome);
    return client;
  }

  /** Sends messages in one frame. */
  send(...messages: readonly MessageToSend[]): void {
    const created = messages.map((message) => create(ClientMessageSchema, message));
    this.#webSocket.send(encodeClientFrame(created, this.encoding));
  }

  /** Sends a frame with anything in it: text as a text frame, bytes as a binary one. */
  sendFrame(data: string | Uint8Array): void {
    this.#webSocket.send(data);
  }

  /** Sends messages in one frame; resolves with all that came when each with an id has its answer. */
  async exchange(...messages: readonly MessageToSend[]): Promise<ServerMessage[]> {
    const before = this.messages.length;
    const ids = messages.map(({ id = 0 }) => id).filter((id) => id !== 0);
    this.send(...messages);
    await this.until(() => ids.every((id) => this.#answered(id, before)));
    return this.messages.slice(before);
  }

  async until(condition: () => boolean): Promise<void> {
    await this.#conditions.until(condition);
  }

  /** Reads nothing more until `resume`. */
  stall(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#webSocket.resume();
  }

  [Symbol.dispose](): void {
    this.#webSocket.terminate();
  }

  #answered(id: number, from: number): boolean {
    return this.messages.slice(from).some(({ replyTo }) => replyTo === id);
  }

  #onFrame(data: Buffer, isBinary: boolean): void {
    const frame = isBinary ? new Uint8Array(data) : data.toString();
    for (const message of decodeServerFrame(frame, this.encoding)) {
      if (this.#isWelcome) this.messages.push(message);
      else this.#isWelcome = message.body.case === "subscribed";
    }
    this.#conditions.look();
  }

  #onClosed(code: number, reason: string): void {
    this.closeCode = code;
    this.closeReason = reason;
    this.#conditions.look();
  }
}

/** The bodies of messages, in short: what came, and the code where it is an Error. */
export function outline(messages: readonly ServerMessage[]): string[] {
  return messages.map(({ replyTo, body }) => {
    const what = body.case === "error" ? body.value.code : body.case === "publication" ? body.value.offset : "";
    return `${replyTo} ${body.case ?? "nothing"} ${what}`.trimEnd();
  });
}
