/** Where an error was raised: the first frame of its stack that is not the making of the error itself. */
export interface ErrorLocation {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1. */
  readonly column: number;
}

const FRAME = /^\s*at (?:(?:async )?(?<name>.*?) \()?(?<file>[^()]+?):(?<line>\d+):(?<column>\d+)\)?$/;

/**
 * Reads the place from a V8 stack. Frames of constructors and of static factories of the class `className` are passed
 * over, so that `WsError.connectionLimit(…)` points at its caller. Undefined where the stack has another form.
 */
export function parseErrorLocation(stack: string | undefined, className: string): ErrorLocation | undefined {
  for (const text of (stack ?? "").split("\n")) {
    const frame = FRAME.exec(text)?.groups;
    if (frame === undefined || isMaking(frame.name ?? "", className)) continue;
    return { file: frame.file ?? "", line: Number(frame.line), column: Number(frame.column) };
  }
  return undefined;
}

function isMaking(functionName: string, className: string): boolean {
  return (
    functionName.startsWith("new ") || functionName.startsWith("Function.") || functionName.startsWith(`${className}.`)
  );
}
