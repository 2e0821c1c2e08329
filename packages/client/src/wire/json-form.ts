import { fromBase64, toBase64 } from "./base64.ts";
import { emptyMessage, type Fields, putValue, valueToWrite } from "./message-fields.ts";
import { type FieldShape, type MessageShape, MISS_PREFIX, MISS_REASONS } from "./message-shape.ts";

/** A message in canonical ProtoJSON, before it is text. */
export function toJsonForm(message: Fields, shape: MessageShape): Fields {
  const json: Fields = {};
  for (const field of shape.fields) {
    const value = valueToWrite(message, field);
    if (value === undefined) continue;
    if (!field.isList) json[field.name] = toJsonValue(value, field);
    else if ((value as unknown[]).length > 0) {
      json[field.name] = (value as unknown[]).map((item) => toJsonValue(item, field));
    }
  }
  return json;
}

/** Reads a message from ProtoJSON that was parsed. Unknown keys are passed over, and null counts as absent. */
export function fromJsonForm(json: unknown, shape: MessageShape): Fields {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new TypeError("it is not an object");
  const message = emptyMessage(shape);
  for (const field of shape.fields) {
    if (!Object.hasOwn(json, field.name)) continue;
    const value = (json as Fields)[field.name];
    if (value === null) continue;
    if (!field.isList) putValue(message, field, fromJsonValue(value, field));
    else for (const item of listOf(value, field)) putValue(message, field, fromJsonValue(item, field));
  }
  return message;
}

function toJsonValue(value: unknown, { kind }: FieldShape): unknown {
  switch (kind) {
    case "bytes":
      return toBase64(value as Uint8Array);
    case "uint64":
    case "int64":
      return String(value);
    case "missReason":
      return `${MISS_PREFIX}${String(value)}`;
    case "string":
    case "bool":
    case "uint32":
    case "fixed32":
      return value;
    default:
      return toJsonForm(value as Fields, kind);
  }
}

function fromJsonValue(value: unknown, { kind, name }: FieldShape): unknown {
  switch (kind) {
    case "string":
      return text(value, name);
    case "bytes":
      return fromBase64(text(value, name));
    case "bool":
      return boolean(value, name);
    case "uint32":
    case "fixed32":
    case "uint64":
    case "int64":
      return wholeNumber(value, name);
    case "missReason":
      return missReason(value);
    default:
      return fromJsonForm(value, kind);
  }
}

function listOf(value: unknown, { name }: FieldShape): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError(`${name} is not a list`);
}

function text(value: unknown, name: string): string {
  if (typeof value === "string") return value;
  throw new TypeError(`${name} is not a string`);
}

function boolean(value: unknown, name: string): boolean {
  if (typeof value === "boolean") return value;
  throw new TypeError(`${name} is not a boolean`);
}

function wholeNumber(value: unknown, name: string): number {
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  if (Number.isInteger(number)) return number as number;
  throw new TypeError(`${name} is not a whole number`);
}

function missReason(value: unknown): (typeof MISS_REASONS)[number] {
  if (typeof value === "number") return MISS_REASONS[value] ?? MISS_REASONS[0];
  return MISS_REASONS.find((reason) => value === `${MISS_PREFIX}${reason}`) ?? MISS_REASONS[0];
}
