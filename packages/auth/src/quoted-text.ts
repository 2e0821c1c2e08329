/** A stranger's text for a log line: its first characters as JSON, with nothing in it but what ASCII can print. */
export function quoted(text: string, maxCharacters: number): string {
  return JSON.stringify(text.slice(0, maxCharacters)).replace(/[^ -~]/g, escaped);
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
