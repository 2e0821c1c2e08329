import { emptyMessage, type Fields, putValue } from "./message-fields.ts";
import { type FieldShape, type MessageShape, MISS_REASONS } from "./message-shape.ts";

const UTF8 = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads a message of protobuf. Unknown fields are passed over. */
export function readMessage(bytes: Uint8Array<ArrayBuffer>, shape: MessageShape): Fields {
  const cursor: Cursor = { bytes, at: 0 };
  const message = emptyMessage(shape);
  while (cursor.at < bytes.length) {
    const tag = readVarint(cursor);
    const field = shape.byTag.get(tag);
    if (field !== undefined) putValue(message, field, readValue(cursor, field));
    else passOver(cursor, tag, shape);
  }
  return message;
}

interface Cursor {
  readonly bytes: Uint8Array<ArrayBuffer>;
  at: number;
}

function readValue(cursor: Cursor, { kind }: FieldShape): unknown {
  switch (kind) {
    case "string":
      return UTF8.decode(readDelimited(cursor));
    case "bytes":
      return readDelimited(cursor).slice();
    case "bool":
      return readVarint(cursor) !== 0;
    case "uint32":
      return readVarint(cursor) % 2 ** 32;
    case "uint64":
      return readVarint(cursor);
    case "int64":
      return readSigned(cursor);
    case "fixed32": {
      const [a = 0, b = 0, c = 0, d = 0] = take(cursor, 4);
      return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
    }
    case "missReason":
      return MISS_REASONS[readVarint(cursor)] ?? MISS_REASONS[0];
    default:
      return readMessage(readDelimited(cursor), kind);
  }
}

function passOver(cursor: Cursor, tag: number, shape: MessageShape): void {
  const no = Math.floor(tag / 8);
  if (no === 0 || shape.fields.some((field) => field.no === no)) throw new RangeError(`field ${no} has a wrong type`);
  switch (tag % 8) {
    case 0:
      readVarint(cursor);
      return;
    case 1:
      take(cursor, 8);
      return;
    case 2:
      readDelimited(cursor);
      return;
    case 5:
      take(cursor, 4);
      return;
    default:
      throw new RangeError(`wire type ${tag % 8} is not known`);
  }
}

function readDelimited(cursor: Cursor): Uint8Array<ArrayBuffer> {
  return take(cursor, readVarint(cursor));
}

function take(cursor: Cursor, length: number): Uint8Array<ArrayBuffer> {
  const end = cursor.at + length;
  if (end > cursor.bytes.length) throw new RangeError("a field reaches beyond its message");
  const taken = cursor.bytes.subarray(cursor.at, end);
  cursor.at = end;
  return taken;
}

/** Exact up to 2^53. */
function readVarint(cursor: Cursor): number {
  let value = 0;
  let factor = 1;
  for (let count = 0; count < 10; count++) {
    const byte = nextByte(cursor);
    value += (byte & 127) * factor;
    if (byte < 128) return value;
    factor *= 128;
  }
  throw new RangeError("a number has more than 10 bytes");
}

function readSigned(cursor: Cursor): number {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = nextByte(cursor);
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return Number(BigInt.asIntN(64, value));
  }
  throw new RangeError("a number has more than 10 bytes");
}

function nextByte(cursor: Cursor): number {
  const byte = cursor.bytes[cursor.at++];
  if (byte === undefined) throw new RangeError("it ends inside a number");
  return byte;
}
