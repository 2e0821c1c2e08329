import { type DescField, type DescMessage, type DescOneof, ScalarType } from "@bufbuild/protobuf";
import { CodecError } from "./codec-error.ts";

/** Says what is wrong with a value: nothing, or the path of a field and why. */
type Check = (value: unknown) => string | undefined;
type Fits = (value: unknown) => boolean;

/** The scalars that pm.v1 uses. */
const SCALARS: ReadonlyMap<ScalarType, Fits> = new Map<ScalarType, Fits>([
  [ScalarType.STRING, (value) => typeof value === "string" && value.isWellFormed()],
  [ScalarType.BYTES, (value) => value instanceof Uint8Array],
  [ScalarType.BOOL, (value) => typeof value === "boolean"],
  [ScalarType.UINT32, isIn(0, 2 ** 32 - 1)],
  [ScalarType.FIXED32, isIn(0, 2 ** 32 - 1)],
  [ScalarType.UINT64, isBigIn(0n, 2n ** 64n - 1n)],
  [ScalarType.INT64, isBigIn(-(2n ** 63n), 2n ** 63n - 1n)],
]);

/**
 * Makes the check that a message comes out of either encoding as it went in. Left alone, binary replaces halves of
 * surrogate pairs without a word, and JSON writes numbers that no reader takes.
 * @returns a function that throws CodecError `ENCODE_ERROR`
 */
export function encodableCheck(schema: DescMessage): (message: unknown) => void {
  const check = messageCheck(schema);
  return (message) => {
    const problem = check(message);
    if (problem !== undefined) throw CodecError.unencodable(new RangeError(problem));
  };
}

function messageCheck(schema: DescMessage): Check {
  const members = schema.members.map((member) => ({
    name: member.localName,
    check: member.kind === "oneof" ? oneofCheck(member) : fieldCheck(member),
  }));
  return (message) => {
    for (const { name, check } of members) {
      const problem = check((message as Record<string, unknown>)[name]);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
}

function oneofCheck(oneof: DescOneof): Check {
  const checks = new Map(oneof.fields.map((field) => [field.localName, fieldCheck(field)]));
  return (value) => {
    const chosen = value as { case: string | undefined; value: unknown };
    return chosen.case === undefined ? undefined : checks.get(chosen.case)?.(chosen.value);
  };
}

function fieldCheck(field: DescField): Check {
  const check = valueCheck(field);
  if (field.fieldKind !== "list") return check;
  return (values) => {
    for (const value of values as readonly unknown[]) {
      const problem = check(value);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
}

function valueCheck(field: DescField): Check {
  if (field.message !== undefined) {
    const check = messageCheck(field.message);
    return (value) => (value === undefined ? undefined : check(value));
  }
  const fits = field.enum === undefined ? scalarFits(field.scalar) : isIn(-(2 ** 31), 2 ** 31 - 1);
  return (value) => (fits(value) ? undefined : `${field.parent.typeName}.${field.name} cannot be ${describe(value)}`);
}

function scalarFits(scalar: ScalarType | undefined): Fits {
  const fits = scalar === undefined ? undefined : SCALARS.get(scalar);
  if (fits === undefined) throw new TypeError(`pm.v1 has no scalar of type ${String(scalar)}`);
  return fits;
}

function isIn(min: number, max: number): Fits {
  return (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}

function isBigIn(min: bigint, max: bigint): Fits {
  return (value) => typeof value === "bigint" && value >= min && value <= max;
}

function describe(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 64)) : String(value);
}
