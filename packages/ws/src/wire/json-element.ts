import { toJsonString } from "@bufbuild/protobuf";
import { decodeServerFrame, ServerMessageSchema } from "@pm/proto";

/** An element of a binary server frame as one of a frame in ProtoJSON. */
export function jsonElement(element: Buffer): Buffer {
  const [message] = decodeServerFrame(element, "proto");
  if (message === undefined) throw new RangeError("the element is empty");
  return Buffer.from(toJsonString(ServerMessageSchema, message));
}
