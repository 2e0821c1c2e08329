import { InvalidArgumentError } from "commander";

/** Where a server of `pnpm start` listens. */
export const DEFAULT_URL = "ws://127.0.0.1:3000/ws";

const SCHEMES: Readonly<Record<string, string>> = { "ws:": "ws:", "wss:": "wss:", "http:": "ws:", "https:": "wss:" };

/** Reads the address of a server: ws, wss, http or https; without a path it is `/ws`. */
export function parseServerUrl(text: string): string {
  const url = URL.parse(text);
  const scheme = SCHEMES[url?.protocol ?? ""];
  if (url === null || scheme === undefined || url.hash !== "") {
    throw new InvalidArgumentError("Expected a URL like wss://pm.example.com/ws.");
  }
  if (url.search !== "") throw new InvalidArgumentError("Expected no query: a token is given by --token.");
  return `${scheme}//${url.host}${url.pathname === "/" ? "/ws" : url.pathname}`;
}
