import { type Fields, valueToWrite } from "./message-fields.ts";
import { type FieldShape, type MessageShape, MISS_REASONS, type ValueKind } from "./message-shape.ts";

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

const UTF8 = /* @__PURE__ */ new TextEncoder();

/** Writes a message as protobuf. */
export function writeMessage(message: Fields, shape: MessageShape): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  for (const field of shape.fields) {
    const value = valueToWrite(message, field);
    if (value === undefined) continue;
    for (const item of field.isList ? (value as unknown[]) : [value]) parts.push(...writeField(field, item));
  }
  return concat(parts);
}

/** One byte string from many. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function writeField({ no, kind }: FieldShape, value: unknown): Uint8Array[] {
  switch (kind) {
    case "string":
      return delimited(no, UTF8.encode(value as string));
    case "bytes":
      return delimited(no, value as Uint8Array);
    case "fixed32":
      return [varint(tagOf(no, kind)), fixed32(value as number)];
    case "bool":
    case "uint32":
    case "uint64":
      return [varint(tagOf(no, kind)), varint(Number(value))];
    case "int64":
      return [varint(tagOf(no, kind)), signedVarint(value as number)];
    case "missReason":
      return [varint(tagOf(no, kind)), varint((MISS_REASONS as readonly unknown[]).indexOf(value))];
    default:
      return delimited(no, writeMessage(value as Fields, kind));
  }
}

/** The number and the wire type of a field. */
export function tagOf(no: number, kind: ValueKind): number {
  return no * 8 + wireTypeOf(kind);
}

function wireTypeOf(kind: ValueKind): number {
  if (kind === "fixed32") return FIXED32;
  return typeof kind === "object" || kind === "string" || kind === "bytes" ? LENGTH_DELIMITED : VARINT;
}

function delimited(no: number, content: Uint8Array): Uint8Array[] {
  return [varint(no * 8 + LENGTH_DELIMITED), varint(content.length), content];
}

/** Of a whole number from 0 to 2^53 − 1. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** A negative number takes ten bytes, as in every protobuf. */
function signedVarint(value: number): Uint8Array {
  if (value >= 0) return varint(value);
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) + 128);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

function fixed32(value: number): Uint8Array {
  return Uint8Array.of(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24);
}
