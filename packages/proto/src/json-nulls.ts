/**
 * Parses JSON text without the keys whose value is null: in pm.v1 they count as absent, and the reader of ProtoJSON
 * would take one beside a body for a second body. A null in a list stays.
 * @throws SyntaxError for text that is not JSON
 */
export function parseWithoutNulls(text: string): unknown {
  const value: unknown = JSON.parse(text);
  // Hardly any frame has one, and to look for the word costs less than to visit every key.
  if (text.includes("null")) dropNulls(value);
  return value;
}

function dropNulls(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (inner === null && !Array.isArray(value)) Reflect.deleteProperty(value, key);
    else dropNulls(inner);
  }
}
