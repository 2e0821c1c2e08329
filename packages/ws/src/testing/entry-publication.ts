import { decodeServerFrame, type Publication } from "@pm/proto";
import type { LogEntry } from "../log/broker.ts";
import { contentStart } from "../wire/websocket-frame.ts";

/** What a reader is sent for an entry. */
export function publicationIn(entry: LogEntry): Publication {
  const [message] = decodeServerFrame(new Uint8Array(entry.frame.subarray(contentStart(entry.frame))), "proto");
  if (message?.body.case !== "publication") throw new TypeError("the frame of an entry is not a publication");
  return message.body.value;
}
