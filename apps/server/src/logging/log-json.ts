import { errorFields, type ErrorDetail } from "./error-fields.ts";
import { plainText } from "./plain-text.ts";

/** Levels of nesting that are written. */
const MAX_DEPTH = 6;
/** Values that are written in one line, all levels together. */
const MAX_VALUES = 256;
const MAX_KEY = 64;
const SECRET_KEY = /(?:authorization|token|jwt|secret|password|cookie|(?:api|ops|private)_?key)$/i;

/** Writes the values of one line; they share its budget. */
export class LogJson {
  readonly #detail: ErrorDetail;
  readonly #ancestors: object[] = [];
  #left = MAX_VALUES;

  constructor(detail: ErrorDetail) {
    this.#detail = detail;
  }

  /** Any value as JSON. Never throws: what cannot be read is said to be so. */
  write(value: unknown): string {
    if (this.#left-- <= 0) return '"[cut]"';
    switch (typeof value) {
      case "string":
        return quoted(value);
      case "number":
        return Number.isFinite(value) ? String(value) : quoted(String(value));
      case "boolean":
        return String(value);
      case "bigint":
        return quoted(value.toString());
      case "undefined":
        return "null";
      case "object":
        return value === null ? "null" : this.#object(value);
      case "symbol":
      case "function":
      default:
        return `"[${typeof value}]"`;
    }
  }

  /** The members of an object, each written; members that are undefined are left out. */
  members(object: object): [key: string, json: string][] {
    const written: [string, string][] = [];
    for (const key of keysOf(object)) {
      if (this.#left <= 0) return [...written, ["…", '"[cut]"']];
      const json = this.#member(object, key);
      if (json !== undefined) written.push([plainText(key, MAX_KEY), json]);
    }
    return written;
  }

  #member(object: object, key: string): string | undefined {
    try {
      const value = (object as Record<string, unknown>)[key];
      if (value === undefined) return undefined;
      return SECRET_KEY.test(key) ? '"[redacted]"' : this.write(value);
    } catch {
      return '"[unreadable]"';
    }
  }

  #object(value: object): string {
    if (this.#ancestors.includes(value)) return '"[circular]"';
    if (this.#ancestors.length >= MAX_DEPTH) return '"[too deep]"';
    this.#ancestors.push(value);
    try {
      return this.#content(value);
    } catch {
      return '"[unreadable]"';
    } finally {
      this.#ancestors.pop();
    }
  }

  #content(value: object): string {
    if (Array.isArray(value)) return this.#list(value);
    if (value instanceof Error) return this.#record(errorFields(value, this.#detail));
    if (value instanceof Date) return quoted(Number.isNaN(value.getTime()) ? "invalid date" : value.toISOString());
    if (value instanceof URL) return quoted(value.href);
    if (value instanceof Set || value instanceof Map) return this.#list(value);
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return quoted(`[${value.byteLength} bytes]`);
    return this.#record(value);
  }

  #list(values: Iterable<unknown>): string {
    const written: string[] = [];
    for (const value of values) {
      const isLast = this.#left <= 0;
      written.push(this.write(value));
      if (isLast) break;
    }
    return `[${written.join(",")}]`;
  }

  #record(object: object): string {
    return `{${this.members(object)
      .map(([key, json]) => `${JSON.stringify(key)}:${json}`)
      .join(",")}}`;
  }
}

function quoted(text: string): string {
  return JSON.stringify(plainText(text));
}

function keysOf(object: object): string[] {
  try {
    return Object.keys(object);
  } catch {
    return [];
  }
}
