import { decodeServerFrame, type Publication } from "@pm/proto";
import type { LogEntry } from "../log/broker.ts";

/** What a reader is sent for an entry. */
export function publicationIn(entry: LogEntry): Publication {
  const [message] = decodeServerFrame(new Uint8Array(entry.element), "proto");
  if (message?.body.case !== "publication") throw new TypeError("the element of an entry is not a publication");
  return message.body.value;
}
