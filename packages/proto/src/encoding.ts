/** How frames are written: binary protobuf, or canonical ProtoJSON text. */
export type Encoding = "proto" | "json";

/** The WebSocket subprotocols, by encoding. */
export const SUBPROTOCOLS: Readonly<Record<Encoding, string>> = { proto: "pm.v1.proto", json: "pm.v1.json" };

/** The prefix of the subprotocol entry in which a browser offers its token. */
export const BEARER_SUBPROTOCOL_PREFIX = "pm.v1.bearer.";

/** The encoding of a subprotocol; undefined for an unknown one. */
export function encodingOf(subprotocol: string): Encoding | undefined {
  if (subprotocol === SUBPROTOCOLS.proto) return "proto";
  return subprotocol === SUBPROTOCOLS.json ? "json" : undefined;
}
