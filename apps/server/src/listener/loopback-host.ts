import { isLoopback } from "../config/listen-address.ts";

const HOST = /^(?:\[(?<v6>[0-9A-Fa-f:.]+)\]|(?<name>[^:[\]@]+))(?::\d{1,5})?$/;

/**
 * True when a Host header names this machine by one of its loopback names. A page whose own name was made to point to
 * the loopback (DNS rebinding) sends that name.
 */
export function isLoopbackHost(header: string | undefined): boolean {
  const parts = HOST.exec(header ?? "")?.groups;
  const host = parts?.["v6"] ?? parts?.["name"];
  return host !== undefined && isLoopback({ host, port: 0 });
}
