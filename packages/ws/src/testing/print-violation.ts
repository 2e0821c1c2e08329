import type { StreamPosition } from "../log/stream-position.ts";
import type { HistoryEvent } from "./history.ts";
import type { Violation } from "./violation.ts";

/** A violation as text: what was found, then what the reader did and saw, a line each. */
export function printViolation({ kind, reader, message, trail }: Violation): string {
  return [`${kind} (${reader}): ${message}`, ...trail.map((event) => `  ${printEvent(event)}`)].join("\n");
}

function printEvent(event: HistoryEvent): string {
  const parts: string[] = [event.kind];
  for (const [name, value] of Object.entries(event)) {
    if (name === "kind" || name === "reader" || value === undefined) continue;
    parts.push(`${name}=${printValue(value)}`);
  }
  return parts.join(" ");
}

function printValue(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  if ("tenant" in value) return Object.values(value).join("/");
  const { epoch, offset, check } = value as StreamPosition;
  return `${epoch.slice(0, 6)}/${offset}#${check.toString(16)}`;
}
