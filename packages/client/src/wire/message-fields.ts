import { type FieldShape, type MessageShape, MISS_REASONS } from "./message-shape.ts";

/** A message while it is read or written by its shape. */
export type Fields = Record<string, unknown>;

interface Choice {
  readonly kind: string;
  readonly value: unknown;
}

/** A message in which every field has its zero value. */
export function emptyMessage(shape: MessageShape): Fields {
  const message: Fields = {};
  for (const field of shape.fields) message[field.oneof ?? field.name] = zeroOf(field);
  return message;
}

/** The value of a field that is to be written; undefined when it is absent. */
export function valueToWrite(message: Fields, field: FieldShape): unknown {
  if (field.oneof === undefined) {
    const value = message[field.name];
    return isZero(value) ? undefined : value;
  }
  const chosen = message[field.oneof] as Choice | undefined;
  return chosen?.kind === field.name ? chosen.value : undefined;
}

/** Puts a value that was read into its field. */
export function putValue(message: Fields, field: FieldShape, value: unknown): void {
  if (field.oneof !== undefined) message[field.oneof] = { kind: field.name, value };
  else if (field.isList) (message[field.name] as unknown[]).push(value);
  else message[field.name] = value;
}

function isZero(value: unknown): boolean {
  return value === undefined || value === "" || value === 0 || value === false || value === MISS_REASONS[0];
}

function zeroOf({ kind, isList, oneof }: FieldShape): unknown {
  if (oneof !== undefined) return undefined;
  if (isList) return [];
  switch (kind) {
    case "string":
      return "";
    case "bytes":
      return new Uint8Array();
    case "bool":
      return false;
    case "missReason":
      return MISS_REASONS[0];
    case "uint32":
    case "fixed32":
    case "uint64":
    case "int64":
      return 0;
    default:
      return undefined;
  }
}
