import type { MessageInitShape } from "@bufbuild/protobuf";
import type { PayloadSchema } from "@pm/proto";
import { CommandError } from "./command-error.ts";

/** How a payload is sent: as JSON where it is JSON and else as bytes, or as one of the two. */
export type PayloadForm = "auto" | "json" | "bytes";

/** All of them, for the option. */
export const PAYLOAD_FORMS: readonly PayloadForm[] = ["auto", "json", "bytes"];

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Makes a payload of what was given.
 * @throws CommandError `USAGE` where JSON is wanted and it is none
 */
export function payloadOf(bytes: Uint8Array<ArrayBuffer>, form: PayloadForm): MessageInitShape<typeof PayloadSchema> {
  const json = form === "bytes" ? undefined : jsonOf(bytes);
  if (json !== undefined) return { kind: { case: "json", value: json } };
  if (form === "json") throw CommandError.usage("the payload is not JSON");
  return { kind: { case: "data", value: bytes } };
}

function jsonOf(bytes: Uint8Array<ArrayBuffer>): string | undefined {
  try {
    const text = UTF8.decode(bytes).trim();
    JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}
