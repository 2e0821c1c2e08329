/** Where an error was raised: the first frame of its stack that is not the making of the error itself. */
export interface ErrorLocation {
  /** A path or a `file:` URL, as the stack has it. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1. */
  readonly column: number;
}

const PLACE = /^(?<file>.+):(?<line>\d+):(?<column>\d+)$/;

/**
 * Reads the place from the frames of a V8 stack. Constructors and static factories of the class `className` are passed
 * over, so that `WsError.connectionLimit(…)` points at its caller; so are frames of Node itself, which stand between an
 * async factory and its caller. Undefined where the stack has another form.
 */
export function parseErrorLocation(stack: string | undefined, className: string): ErrorLocation | undefined {
  for (const line of (stack ?? "").split("\n")) {
    const frame = parseFrame(line.trim());
    const place = frame === undefined ? undefined : PLACE.exec(frame.place)?.groups;
    if (frame === undefined || place === undefined || isPassedOver(frame, className)) continue;
    return { file: place["file"] ?? "", line: Number(place["line"]), column: Number(place["column"]) };
  }
  return undefined;
}

interface Frame {
  readonly name: string;
  readonly place: string;
}

/** `at name (place)` or `at place`, either with `async` before it; the place may have brackets of its own. */
function parseFrame(line: string): Frame | undefined {
  if (!line.startsWith("at ")) return undefined;
  const frame = line.slice(3).replace(/^async (?!\()/, "");
  const open = frame.endsWith(")") ? frame.indexOf(" (") : -1;
  if (open < 0) return { name: "", place: frame };
  return { name: frame.slice(0, open), place: frame.slice(open + 2, -1) };
}

function isPassedOver({ name, place }: Frame, className: string): boolean {
  const isMaking = name === `new ${className}` || name.startsWith("Function.") || name.startsWith(`${className}.`);
  return isMaking || place.startsWith("node:");
}
