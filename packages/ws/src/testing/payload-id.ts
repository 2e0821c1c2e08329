import type { Payload } from "@pm/proto";
import type { PublicationPayload } from "../log/broker.ts";

/** How a payload that carries an id is made. */
export interface PayloadShape {
  readonly kind: PublicationPayload["kind"];
  /** Bytes of its content, at least; the rest is padding. */
  readonly bytes?: number | undefined;
}

/** A payload that can be told from all others by its id, which has no space. */
export function payloadWithId(id: string, { kind, bytes = 0 }: PayloadShape): PublicationPayload {
  const text = `${id} `.padEnd(bytes, ".");
  return kind === "json" ? { kind, json: JSON.stringify(text) } : { kind, data: Buffer.from(text) };
}

/** The id in a payload, as it came over the wire; empty where it has none. */
export function payloadId(payload: Payload | undefined): string {
  const kind = payload?.kind;
  if (kind?.case === "json") return idIn(String(JSON.parse(kind.value)));
  if (kind?.case !== "data") return "";
  const { buffer, byteOffset, byteLength } = kind.value;
  return idIn(Buffer.from(buffer, byteOffset, byteLength).toString());
}

function idIn(text: string): string {
  return text.slice(0, Math.max(0, text.indexOf(" ")));
}
