import type { Encoding } from "@pm/proto";
import { PmClientError } from "../pm-client-error.ts";
import { readMessage } from "./binary-reader.ts";
import { concat, writeMessage } from "./binary-writer.ts";
import { fromJsonForm, toJsonForm } from "./json-form.ts";
import type { Fields } from "./message-fields.ts";
import { CLIENT_FRAME, CLIENT_MESSAGE, SERVER_FRAME } from "./message-shape.ts";
import type { ClientMessage, ServerMessage } from "./messages.ts";

/** One message of a frame, encoded: bytes for `proto`, text for `json`. */
export type Element = Uint8Array<ArrayBuffer> | string;

const JSON_HEAD = '{"messages":[';
const JSON_TAIL = "]}";

/** Encodes one client message as an element of a frame. In `proto` it is a frame with this message alone. */
export function encodeElement(message: ClientMessage, encoding: Encoding): Element {
  const fields = message as unknown as Fields;
  if (encoding === "json") return JSON.stringify(toJsonForm(fields, CLIENT_MESSAGE));
  return writeMessage({ messages: [fields] }, CLIENT_FRAME);
}

/** Puts elements of one encoding together to a frame. */
export function joinElements(elements: readonly Element[], encoding: Encoding): Element {
  if (encoding === "json") return `${JSON_HEAD}${elements.join(",")}${JSON_TAIL}`;
  return concat(elements as readonly Uint8Array[]);
}

/** Bytes that an element takes in a frame; in `json` with the comma before it. */
export function elementBytes(element: Element): number {
  return typeof element === "string" ? utf8Length(element) + 1 : element.length;
}

/** Bytes that a frame has beside its elements. */
export function frameOverhead(encoding: Encoding): number {
  return encoding === "json" ? JSON_HEAD.length + JSON_TAIL.length : 0;
}

/**
 * Decodes what a server sent.
 * @throws PmClientError `DECODE_ERROR`, and nothing else
 */
export function decodeFrame(data: ArrayBuffer | string, encoding: Encoding): readonly ServerMessage[] {
  try {
    return decode(data, encoding)["messages"] as readonly ServerMessage[];
  } catch (cause) {
    throw PmClientError.undecodable(cause);
  }
}

function decode(data: ArrayBuffer | string, encoding: Encoding): Fields {
  if (typeof data === "string" && encoding === "json") return fromJsonForm(JSON.parse(data || "{}"), SERVER_FRAME);
  if (typeof data !== "string" && encoding === "proto") return readMessage(new Uint8Array(data), SERVER_FRAME);
  throw new TypeError(`it is ${typeof data === "string" ? "text" : "binary"}, and ${encoding} was agreed`);
}

function utf8Length(text: string): number {
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // Each half of a surrogate pair counts two of the four bytes.
    length += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3;
  }
  return length;
}
