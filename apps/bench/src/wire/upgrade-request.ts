/** What a handshake asks for. */
export interface UpgradeRequest {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly subprotocol?: string | undefined;
  /** Sent as `Authorization: Bearer …`. */
  readonly token?: string | undefined;
}

/** A key as RFC 6455, section 4.1 wants it: sixteen bytes in base64. The answer to it is not checked. */
const KEY = Buffer.from("pm measures this").toString("base64");

/** The text of an upgrade request. */
export function upgradeRequest({ host, port, path, subprotocol, token }: UpgradeRequest): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${host.includes(":") ? `[${host}]` : host}:${port}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${KEY}`,
  ];
  if (subprotocol !== undefined) lines.push(`Sec-WebSocket-Protocol: ${subprotocol}`);
  if (token !== undefined) lines.push(`Authorization: Bearer ${token}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Where the head of an HTTP response ends; −1 when it is not whole. */
export function endOfHead(bytes: Buffer): number {
  const at = bytes.indexOf("\r\n\r\n");
  return at < 0 ? -1 : at + 4;
}

/** The status of an HTTP response; 0 for bytes that are none. */
export function statusOf(head: Buffer): number {
  return Number(/^HTTP\/1\.1 (?<status>\d{3})/.exec(head.toString("latin1", 0, 16))?.groups?.["status"] ?? 0);
}
