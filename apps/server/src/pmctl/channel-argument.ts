import { isChannelName } from "@pm/core";
import { InvalidArgumentError } from "commander";

/** Takes a string as the name of a channel. */
export function parseChannel(text: string): string {
  if (isChannelName(text)) return text;
  throw new InvalidArgumentError("Expected 1 to 200 of A-Z a-z 0-9 _ - = @ , . ; : / +.");
}

/** The same for an argument that may be repeated; a channel given twice counts once. */
export function collectChannel(text: string, previous: readonly string[] = []): readonly string[] {
  const channel = parseChannel(text);
  return previous.includes(channel) ? previous : [...previous, channel];
}
