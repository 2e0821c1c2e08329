import type { MessageInitShape } from "@bufbuild/protobuf";
import type { StreamPositionSchema } from "@pm/proto";
import {
  delimitedSize,
  stringFieldSize,
  varintFieldSize,
  writeFixed32Field,
  writeStringField,
  writeVarint,
  writeVarintField,
} from "./wire-writer.ts";

// What the hand-written replies have in common.

/** A position as the schema has it. */
export type Position = MessageInitShape<typeof StreamPositionSchema>;

/** Begins ServerFrame { messages: [ServerMessage { reply_to, body }] } for a body of a known size. */
export function beginElement(replyTo: number, tag: number, size: number): { target: Buffer; at: number } {
  const message = varintFieldSize(replyTo) + 1 + delimitedSize(size);
  const target = Buffer.allocUnsafe(1 + delimitedSize(message));
  target[0] = 0x0a;
  let at = writeVarint(target, 1, message);
  at = writeVarintField(target, at, 0x08, replyTo);
  target[at] = tag;
  at = writeVarint(target, at + 1, size);
  return { target, at };
}

/** Bytes of a field with a position. */
export function positionFieldSize(position: Position | undefined): number {
  return position === undefined ? 0 : 1 + delimitedSize(positionSize(position));
}

/** Writes a field with a position. */
export function writePositionField(target: Buffer, start: number, tag: number, position: Position | undefined): number {
  if (position === undefined) return start;
  target[start] = tag;
  let at = writeVarint(target, start + 1, positionSize(position));
  at = writeStringField(target, at, 0x0a, position.epoch ?? "");
  at = writeVarintField(target, at, 0x10, Number(position.offset ?? 0n));
  return writeFixed32Field(target, at, 0x1d, position.check ?? 0);
}

function positionSize({ epoch = "", offset = 0n, check = 0 }: Position): number {
  return stringFieldSize(epoch) + varintFieldSize(Number(offset)) + (check === 0 ? 0 : 5);
}
