import { create } from "@bufbuild/protobuf";
import { type ClientMessage, ClientMessageSchema, encodeClientFrame, SUBPROTOCOLS } from "@pm/proto";
import { clientFrame, Opcode } from "../wire/client-frame.ts";
import { StampedFrame } from "../wire/stamped-frame.ts";
import type { Dialect } from "./dialect.ts";

/**
 * Speaks pm.v1 in binary. Nobody waits for the acknowledgement of a publication, as on the other servers, which have
 * none.
 */
export const pmDialect: Dialect = {
  path: "/ws",
  subprotocol: SUBPROTOCOLS.proto,
  needsToken: true,
  login: [{ kind: "wait", bytes: Buffer.alloc(0) }],
  subscribe: (channel) => [
    {
      kind: "send",
      frame: clientFrame(Opcode.binary, encoded({ id: 1, body: { case: "subscribe", value: { channel } } })),
    },
    { kind: "wait", bytes: Buffer.from(channel) },
  ],
  publish: (channel, payload) => {
    const data = new TextEncoder().encode(payload);
    const value = { channel, payload: { kind: { case: "data" as const, value: data } } };
    return new StampedFrame(Opcode.binary, encoded({ body: { case: "publish", value } }));
  },
  answer: () => undefined,
};

function encoded(init: Parameters<typeof create<typeof ClientMessageSchema>>[1]): Buffer {
  const message: ClientMessage = create(ClientMessageSchema, init);
  const frame = encodeClientFrame([message], "proto");
  return Buffer.from(frame);
}
