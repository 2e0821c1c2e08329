import { isIPv4, isIPv6 } from "node:net";

/** Where a listener binds. */
export interface ListenAddress {
  /** An IP address without brackets, or a host name. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

const ADDRESS = /^(?:\[(?<v6>[^[\]]+)\]|(?<host>[A-Za-z0-9.-]+)):(?<port>\d{1,5})$/;
const HOST_NAME = /^(?!.*\.\.)[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;
const ONLY_DIGITS_AND_DOTS = /^[\d.]+$/;

/** Reads `host:port` or `[IPv6]:port`; undefined for anything else. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const parts = ADDRESS.exec(text)?.groups;
  const port = Number(parts?.["port"]);
  const host = parts?.["v6"] ?? parts?.["host"];
  if (host === undefined || port > 65_535) return undefined;
  return isHost(host, parts?.["v6"] !== undefined) ? { host, port } : undefined;
}

/** The form that `parseListenAddress` reads. */
export function formatListenAddress({ host, port }: ListenAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** True when only this machine reaches it. */
export function isLoopback({ host }: ListenAddress): boolean {
  const address = host.toLowerCase().replace(/^::ffff:(?=[\d.]+$)/, "");
  return address === "localhost" || address === "::1" || (isIPv4(address) && address.startsWith("127."));
}

/** True when the two cannot listen at the same time. */
export function addressesCollide(a: ListenAddress, b: ListenAddress): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  return a.host === b.host || isWildcard(a) || isWildcard(b);
}

function isHost(host: string, inBrackets: boolean): boolean {
  if (inBrackets) return isIPv6(host);
  return ONLY_DIGITS_AND_DOTS.test(host) ? isIPv4(host) : HOST_NAME.test(host);
}

function isWildcard({ host }: ListenAddress): boolean {
  return host === "0.0.0.0" || host === "::";
}
