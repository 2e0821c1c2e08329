import type { PayloadContent } from "../wire/messages.ts";

/** What the publications of a channel carry: how values become payloads, and payloads become values again. */
export interface PayloadType<Data, Input = Data> {
  /** Undefined: a publication without a payload. */
  encode(value: Input): PayloadContent | undefined;
  /** Throws for a payload that is not one of this type; `undefined` where there is none. */
  decode(payload: PayloadContent | undefined): Data;
}

/** Any payload: bytes are `Uint8Array`, JSON is parsed, none is undefined. The type of channels that name no other. */
export const anything: PayloadType<unknown> = {
  encode: (value) => (value instanceof Uint8Array ? bytes.encode(value) : toJson(value)),
  decode: (payload) => (payload?.kind === "data" ? payload.value : fromJson(payload)),
};

/** Payloads of bytes. None is decoded as no bytes. */
export const bytes: PayloadType<Uint8Array<ArrayBuffer>, Uint8Array> = {
  // Copied: what is published may be sent later, and again.
  encode: (value) => ({ kind: "data", value: new Uint8Array(value) }),
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

function toJson(value: unknown): PayloadContent | undefined {
  // Undefined for undefined, functions and symbols, whatever its type says.
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? undefined : { kind: "json", value: text };
}

function fromJson(payload: PayloadContent | undefined): unknown {
  return payload?.kind === "json" ? (JSON.parse(payload.value) as unknown) : undefined;
}
