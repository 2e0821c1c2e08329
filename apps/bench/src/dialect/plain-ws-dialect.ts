import { clientFrame, Opcode } from "../wire/client-frame.ts";
import { StampedFrame } from "../wire/stamped-frame.ts";
import type { Dialect } from "./dialect.ts";

/** First byte of a message of the plain server; a channel name follows, and then a payload. */
export const PlainOp = { subscribe: 0x01, publish: 0x02, subscribed: 0x81 } as const;

/** Speaks to the plain ws server. */
export const plainWsDialect: Dialect = {
  path: "/",
  subprotocol: undefined,
  needsToken: false,
  login: [],
  subscribe: (channel) => [
    { kind: "send", frame: clientFrame(Opcode.binary, message(PlainOp.subscribe, channel)) },
    { kind: "wait", bytes: Buffer.from([PlainOp.subscribed]) },
  ],
  publish: (channel, payload) => new StampedFrame(Opcode.binary, message(PlainOp.publish, channel + payload)),
  answer: () => undefined,
};

function message(op: number, rest: string): Buffer {
  return Buffer.concat([Buffer.from([op]), Buffer.from(rest)]);
}
