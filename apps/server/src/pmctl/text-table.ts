import { showable } from "../logging/plain-text.ts";

const MAX_WIDTH = 60;

/** Rows as lines whose columns begin at the same place; a cell that is very wide does not move those of other rows. */
export function textTable(rows: readonly (readonly string[])[]): string[] {
  const cells = rows.map((row) => row.map(showable));
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.min(MAX_WIDTH, Math.max(...cells.map((row) => row[column]?.length ?? 0))),
  );
  return cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
