import { toJsonString } from "@bufbuild/protobuf";
import { decodeServerFrame, ServerMessageSchema } from "@pm/proto";
import { contentStart } from "./websocket-frame.ts";

/** The one element of a WebSocket frame in binary as one of a frame in ProtoJSON. */
export function jsonElement(frame: Buffer): Buffer {
  const [message] = decodeServerFrame(frame.subarray(contentStart(frame)), "proto");
  if (message === undefined) throw new RangeError("the frame is empty");
  return Buffer.from(toJsonString(ServerMessageSchema, message));
}
