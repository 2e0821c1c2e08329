import { type BearerToken, encodingOf, findBearerToken, SUBPROTOCOLS } from "@pm/proto";
import type { IncomingMessage } from "node:http";
import { WsError } from "../ws-error.ts";
import type { Refusal } from "./handshake-refusal.ts";

/** What a handshake asks for. */
export interface HandshakeRequest {
  /** The subprotocol to answer with; undefined when none was offered, and the binary one is spoken. */
  readonly subprotocol: string | undefined;
  readonly token: Extract<BearerToken, { kind: "found" }>;
}

/** Query parameters in which people put tokens. */
const TOKEN_PARAMETERS = ["token", "access_token", "jwt", "bearer", "auth", "authorization"];

/** Reads the request; nothing is verified yet. */
export function readHandshake(
  request: IncomingMessage,
  allowedOrigins: ReadonlySet<string>,
): HandshakeRequest | Refusal {
  // Before the token, since ws takes version 8 too.
  if (request.headers["sec-websocket-version"] !== "13") return badRequest("WebSocket version 13 is spoken here");
  if (!isAllowedOrigin(request, allowedOrigins)) return forbidden("the Origin is not allowed");
  if (hasTokenInUrl(request.url ?? "")) return badRequest("a token in the URL ends in logs; send it in a header");
  const offered = offeredSubprotocols(request.headers["sec-websocket-protocol"]);
  const subprotocol = offered.find((entry) => encodingOf(entry) !== undefined);
  if (offered.length > 0 && subprotocol === undefined) {
    return badRequest(`offer the subprotocol ${SUBPROTOCOLS.proto} or ${SUBPROTOCOLS.json}`);
  }
  const token = findBearerToken(request.headers.authorization, offered);
  switch (token.kind) {
    case "found":
      return { subprotocol, token };
    case "none":
      return unauthorized(new WsError("MISSING_AUTH_HEADER", "neither an Authorization header nor a bearer entry"));
    case "bad-scheme":
      return unauthorized(new WsError("INVALID_AUTH_SCHEME", "the Authorization header is not Bearer <token>"));
    case "ambiguous":
      return badRequest("there are two different tokens");
    default:
      return token satisfies never;
  }
}

function offeredSubprotocols(header: string | undefined): string[] {
  if (header === undefined) return [];
  if (encodingOf(header) !== undefined) return [header];
  return header
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

function isAllowedOrigin({ headers }: IncomingMessage, allowed: ReadonlySet<string>): boolean {
  const { origin, host } = headers;
  if (origin === undefined || allowed.has(origin)) return true;
  const parsed = URL.parse(origin);
  if (allowed.size > 0 || host === undefined || parsed === null || parsed.host === "") return false;
  // Browsers leave out the default port of the scheme in both headers, proxies and other clients may not.
  return parsed.host === URL.parse(`${parsed.protocol}//${host}`)?.host;
}

function hasTokenInUrl(url: string): boolean {
  const query = url.indexOf("?");
  if (query < 0) return false;
  const parameters = new URLSearchParams(url.slice(query + 1));
  return [...parameters.keys()].some((name) => TOKEN_PARAMETERS.includes(name.toLowerCase()));
}

function badRequest(why: string): Refusal {
  return { status: 400, outcome: "bad_request", error: new WsError("INVALID_MESSAGE", why) };
}

function forbidden(why: string): Refusal {
  return { status: 403, outcome: "forbidden", error: new WsError("PERMISSION_DENIED", why) };
}

function unauthorized(error: WsError): Refusal {
  return { status: 401, outcome: "unauthorized", error };
}
