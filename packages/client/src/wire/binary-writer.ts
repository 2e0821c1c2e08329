import { type Fields, valueToWrite } from "./message-fields.ts";
import { type FieldShape, type MessageShape, MISS_REASONS, tagOf, type ValueKind } from "./message-shape.ts";

const UTF8 = /* @__PURE__ */ new TextEncoder();
const INITIAL_BYTES = 256;
/** UTF-8 takes at most so many bytes for each unit of a string. */
const BYTES_PER_UNIT = 3;

/** Writes a message as protobuf. */
export function writeMessage(message: Fields, shape: MessageShape): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  writer.message(message, shape);
  return writer.finish();
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

class BinaryWriter {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #at = 0;

  message(message: Fields, { fields }: MessageShape): void {
    for (const field of fields) {
      const value = valueToWrite(message, field);
      if (value === undefined) continue;
      if (field.isList) for (const item of value as unknown[]) this.#field(field, item);
      else this.#field(field, value);
    }
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#at);
  }

  #field({ no, kind }: FieldShape, value: unknown): void {
    this.#varint(tagOf(no, kind));
    this.#value(kind, value);
  }

  #value(kind: ValueKind, value: unknown): void {
    switch (kind) {
      case "string":
        this.#delimited(() => this.#text(value as string));
        break;
      case "bytes":
        this.#varint((value as Uint8Array).length);
        this.#raw(value as Uint8Array);
        break;
      case "fixed32":
        this.#fixed32(value as number);
        break;
      case "bool":
      case "uint32":
      case "uint64":
        this.#varint(Number(value));
        break;
      case "int64":
        this.#signed(value as number);
        break;
      case "missReason":
        this.#varint((MISS_REASONS as readonly unknown[]).indexOf(value));
        break;
      default:
        this.#delimited(() => this.message(value as Fields, kind));
    }
  }

  /** Writes content and its length before it. Most lengths take one byte; for a longer one the content makes room. */
  #delimited(write: () => void): void {
    const lengthAt = this.#at;
    this.#reserve(1);
    this.#at++;
    write();
    const length = this.#at - lengthAt - 1;
    const end = this.#at;
    const moreBytes = varintBytes(length) - 1;
    this.#reserve(moreBytes);
    if (moreBytes > 0) this.#bytes.copyWithin(lengthAt + 1 + moreBytes, lengthAt + 1, end);
    this.#at = lengthAt;
    this.#varint(length);
    this.#at = end + moreBytes;
  }

  #text(text: string): void {
    this.#reserve(text.length * BYTES_PER_UNIT);
    this.#at += UTF8.encodeInto(text, this.#bytes.subarray(this.#at)).written;
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Of a whole number from 0 to 2^53 − 1. */
  #varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.#bytes[this.#at++] = (rest % 128) + 128;
    this.#bytes[this.#at++] = rest;
  }

  /** A negative number takes ten bytes, as in every protobuf. */
  #signed(value: number): void {
    if (value >= 0) {
      this.#varint(value);
      return;
    }
    this.#reserve(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) this.#bytes[this.#at++] = Number(rest & 127n) + 128;
    this.#bytes[this.#at++] = Number(rest);
  }

  #fixed32(value: number): void {
    this.#reserve(4);
    for (let shift = 0; shift < 32; shift += 8) this.#bytes[this.#at++] = (value >>> shift) & 255;
  }

  #reserve(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const grown = new Uint8Array(2 * (this.#at + more));
    // All of it: when a length is written, its content is behind it already.
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}
