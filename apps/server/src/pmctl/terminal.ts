import { styleText } from "node:util";

/** How a piece of text looks in a terminal. */
export type TextStyle = "bold" | "dim" | "cyan" | "yellow";

/** Where a command writes: results to the standard output, everything about them to the standard error. */
export interface Terminal {
  /** Writes a line of results. False: the reader is behind, wait for `drained`. */
  out(line: string): boolean;
  /** Resolves when the reader has caught up. */
  drained(): Promise<void>;
  /** Writes a line about what goes on, styled where it goes to a terminal. */
  note(line: string, style?: TextStyle): void;
  /** Styled where results go to a terminal and NO_COLOR is not set, else as it is. */
  readonly paint: (style: TextStyle, text: string) => string;
}

/** The terminal, files or pipes of this process. */
export const processTerminal: Terminal = {
  out: (line) => process.stdout.write(`${line}\n`),
  drained: () =>
    new Promise((resolve) => {
      process.stdout.once("drain", resolve);
    }),
  note: (line, style) => {
    const styled = style === undefined ? line : styleText(style, line, { stream: process.stderr });
    process.stderr.write(`${styled}\n`);
  },
  paint: (style, text) => styleText(style, text, { stream: process.stdout }),
};
