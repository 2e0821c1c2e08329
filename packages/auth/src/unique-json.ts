/** The outcome of reading JSON in which no object may have a key twice. */
export type UniqueJson =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "refused"; readonly reason: string };

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads UTF-8 JSON (RFC 8259) and refuses what two readers could take differently: bad UTF-8, a byte order mark, and
 * keys that occur twice in one object, however they are escaped. The reason has nothing of the input in it.
 */
export function readUniqueJson(bytes: Uint8Array): UniqueJson {
  const text = decodeUtf8(bytes);
  if (text === undefined) return { kind: "refused", reason: "not UTF-8" };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "refused", reason: "not JSON" };
  }
  return hasRepeatedKey(text) ? { kind: "refused", reason: "an object has a key twice" } : { kind: "value", value };
}

/** True for an object that is not a list. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Walks text that is known to be JSON: a string before a colon is a key of the innermost object. */
function hasRepeatedKey(json: string): boolean {
  const scopes: Set<string>[] = [];
  for (let at = 0; at < json.length; at++) {
    const char = json[at];
    if (char === "{" || char === "[") scopes.push(new Set());
    else if (char === "}" || char === "]") scopes.pop();
    if (char !== '"') continue;
    const start = at;
    at = endOfString(json, start);
    if (isFollowedByColon(json, at) && isRepeated(scopes, JSON.parse(json.slice(start, at + 1)) as string)) return true;
  }
  return false;
}

function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
  return at;
}

function isFollowedByColon(json: string, end: number): boolean {
  let at = end + 1;
  while (json[at] === " " || json[at] === "\n" || json[at] === "\r" || json[at] === "\t") at++;
  return json[at] === ":";
}

function isRepeated(scopes: readonly Set<string>[], key: string): boolean {
  const keys = scopes.at(-1);
  if (keys === undefined || keys.has(key)) return true;
  keys.add(key);
  return false;
}
