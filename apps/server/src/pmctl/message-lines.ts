import type { Payload, Publication } from "@pm/proto";
import { showable } from "../logging/plain-text.ts";
import { type Gap, reasonName } from "./channel-cursor.ts";
import { formatPosition, type Position } from "./position-option.ts";
import type { Terminal } from "./terminal.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true });
const UNSAFE_IN_JSON = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** A publication as one line for a person. */
export function publicationText(publication: Publication, paint: Terminal["paint"]): string {
  const { channel, offset, publisher, event, payload, publishedAtMs } = publication;
  const time = new Date(Number(publishedAtMs)).toISOString().slice(11, 23);
  const parts = [
    paint("dim", time),
    paint("cyan", showable(channel)),
    paint("dim", `#${offset}`),
    publisher === "" ? paint("dim", "(backend)") : showable(publisher),
    ...(event === "" ? [] : [paint("bold", `[${showable(event)}]`)]),
    showable(payloadText(payload)),
  ];
  return parts.join(" ");
}

/** A publication as one line of JSON: its payload is `json`, as it was published, or `data` in base64. */
export function publicationJson(publication: Publication, position: Position): string {
  const { channel, offset, publisher, event, payload, publishedAtMs, messageId } = publication;
  const members = [
    `"type":"publication","channel":${JSON.stringify(channel)},"offset":${offset}`,
    `"position":${JSON.stringify(formatPosition(position))}`,
    ...(event === "" ? [] : [`"event":${JSON.stringify(event)}`]),
    ...(publisher === "" ? [] : [`"publisher":${JSON.stringify(publisher)}`]),
    `"published_at_ms":${publishedAtMs},"message_id":${JSON.stringify(messageId)}`,
    payloadMember(payload),
  ];
  return escaped(`{${members.join(",")}}`);
}

/** Publications that were missed, as one line for a person. */
export function gapText({ channel, missedCount, reason }: Gap, paint: Terminal["paint"]): string {
  return paint("yellow", `-- ${showable(channel)}: ${missedInWords(missedCount)} (${reasonName(reason)})`);
}

/** The same as one line of JSON; a count of 0 is unknown. */
export function gapJson({ channel, missedCount, reason }: Gap): string {
  return escaped(
    `{"type":"missed","channel":${JSON.stringify(channel)},"missed_count":${missedCount},"reason":"${reasonName(reason)}"}`,
  );
}

function missedInWords(count: bigint): string {
  if (count === 0n) return "may have missed publications";
  return count === 1n ? "missed 1 publication" : `missed ${count} publications`;
}

function payloadText(payload: Payload | undefined): string {
  if (payload?.kind.case === "json") return payload.kind.value;
  const data = payload?.kind.case === "data" ? payload.kind.value : new Uint8Array();
  try {
    return UTF8.decode(data);
  } catch {
    return `base64:${Buffer.from(data).toString("base64")}`;
  }
}

function payloadMember(payload: Payload | undefined): string {
  if (payload?.kind.case === "json") return `"json":${jsonValue(payload.kind.value)}`;
  const data = payload?.kind.case === "data" ? payload.kind.value : new Uint8Array();
  return `"data":"${Buffer.from(data).toString("base64")}"`;
}

/** JSON text as it is, so that no number loses digits, on one line; as a string where it is none. */
function jsonValue(text: string): string {
  try {
    JSON.parse(text);
    return text.replaceAll(/[\r\n\t]/g, " ");
  } catch {
    return JSON.stringify(text);
  }
}

/** Inside of strings, where alone they can be, unsafe characters have an escape of their own. */
function escaped(json: string): string {
  return json.replace(UNSAFE_IN_JSON, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
