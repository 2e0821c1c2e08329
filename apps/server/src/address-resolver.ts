import type { IncomingMessage } from "node:http";
import proxyAddr from "proxy-addr";

/**
 * Says whose request it is when proxies stand in front: the last address that is not a trusted proxy. Undefined when
 * none is trusted, and the socket's own address counts.
 */
export function addressResolver(trustedProxies: readonly string[]): ((request: IncomingMessage) => string) | undefined {
  if (trustedProxies.length === 0) return undefined;
  const trust = proxyAddr.compile([...trustedProxies]);
  return (request) => proxyAddr(request, trust);
}
