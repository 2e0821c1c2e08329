import { type HttpAnswer, RawSocket } from "./raw-socket.ts";
import { type TokenSubject, tokenFor } from "./token.ts";

/** A header name and its value, in the order they are sent. */
export type HeaderLine = readonly [name: string, value: string];

/** An upgrade request. */
export interface UpgradeOptions {
  /** @default "/ws" */
  readonly path?: string;
  readonly method?: string;
  /** Headers beside those of every upgrade. */
  readonly headers?: readonly HeaderLine[];
  /** @default "13" */
  readonly version?: string;
}

/** Where a server is. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** The bytes of an upgrade request. */
export function upgradeRequest({ host, port }: Address, options: UpgradeOptions = {}): string {
  const lines = [
    ["Host", `${host}:${port}`],
    ["Connection", "Upgrade"],
    ["Upgrade", "websocket"],
    ["Sec-WebSocket-Version", options.version ?? "13"],
    ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
    ...(options.headers ?? []),
  ].map(([name, value]) => `${name}: ${value}\r\n`);
  return `${options.method ?? "GET"} ${options.path ?? "/ws"} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** Asks for an upgrade and gives the answer; an accepted connection is dropped. */
export async function upgrade(server: Address, options: UpgradeOptions = {}): Promise<HttpAnswer> {
  using socket = await RawSocket.open(server);
  socket.write(upgradeRequest(server, options));
  return await socket.answer();
}

/** The Authorization header of a good token. */
export async function bearer(subject: TokenSubject = {}): Promise<HeaderLine> {
  return ["Authorization", `Bearer ${await tokenFor(subject)}`];
}

/** What the body of a refusal says. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly error_id: string;
}

/** Reads the body of a refusal, which has exactly three fields. */
export function refusalOf(answer: HttpAnswer): Refusal {
  const body = JSON.parse(answer.body) as Refusal;
  const fields = Object.keys(body).toSorted().join();
  if (fields !== "code,error_id,message") throw new Error(`the refusal has the fields ${fields}`);
  return body;
}
