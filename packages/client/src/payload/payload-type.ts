import { PmClientError } from "../pm-client-error.ts";
import type { PayloadContent } from "../wire/messages.ts";

/** What the publications of a channel carry: how values become payloads, and payloads become values again. */
export interface PayloadType<Data, Input = Data> {
  /** Undefined: a publication without a payload. What it throws rejects the publish: a PmClientError as it is. */
  encode(value: Input): PayloadContent | undefined;
  /** Throws for a payload that is not one of this type; `undefined` where there is none. */
  decode(payload: PayloadContent | undefined): Data;
}

/** Of these JSON would be `{}`, and nobody would notice. */
const NOT_JSON: ReadonlySet<string> = /* @__PURE__ */ new Set(["ArrayBuffer", "Blob", "File", "Map", "Promise", "Set"]);

/**
 * Any payload: bytes are `Uint8Array`, JSON is parsed, none is undefined. The type of channels that name no other. An
 * `ArrayBuffer` and each of its views are published as bytes.
 */
export const anything: PayloadType<unknown> = {
  encode: (value) => (isBytes(value) ? bytes.encode(value) : toJson(value)),
  decode: (payload) => (payload?.kind === "data" ? payload.value : fromJson(payload)),
};

/** Payloads of bytes. None is decoded as no bytes. */
export const bytes: PayloadType<Uint8Array<ArrayBuffer>, ArrayBuffer | ArrayBufferView> = {
  encode: (value) => {
    if (!isBytes(value)) throw PmClientError.invalidArgument("data", "is not an ArrayBuffer, and no view of one");
    const view = ArrayBuffer.isView(value) ? value : new DataView(value);
    // Copied: what is published may be sent later, and again.
    return { kind: "data", value: new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice() };
  },
  decode: (payload) => {
    if (payload?.kind === "json") throw new TypeError("it is JSON, not bytes");
    return payload?.value ?? new Uint8Array();
  },
};

/**
 * Payloads of JSON that a function validates: it gets what was parsed, undefined where there is no payload, and returns
 * it as `Data` or throws.
 */
export function json<Data>(validate: (value: unknown) => Data): PayloadType<Data> {
  return {
    encode: toJson,
    decode: (payload) => {
      if (payload?.kind === "data") throw new TypeError("it is bytes, not JSON");
      return validate(fromJson(payload));
    },
  };
}

function isBytes(value: unknown): value is ArrayBuffer | ArrayBufferView {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}

function toJson(value: unknown): PayloadContent | undefined {
  const tag = Object.prototype.toString.call(value).slice("[object ".length, -1);
  if (NOT_JSON.has(tag)) throw PmClientError.invalidArgument("data", `is a ${tag}, of which JSON keeps nothing`);
  // Undefined for undefined, functions and symbols, whatever its type says.
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? undefined : { kind: "json", value: text };
}

function fromJson(payload: PayloadContent | undefined): unknown {
  return payload?.kind === "json" ? (JSON.parse(payload.value) as unknown) : undefined;
}
