/**
 * The least number of insertions, deletions, replacements and swaps of neighbours that turn one string into the other:
 * the Damerau-Levenshtein distance, with edits between swapped characters allowed, so that it is a metric. Time and
 * memory are the product of both lengths.
 */
export function editDistance(a: string, b: string): number {
  const far = a.length + b.length;
  const lastRowOf = new Map<string, number>();
  // rows[i + 1][j + 1] is the distance between the first i and the first j characters; row and column 0 are a fence.
  const rows: number[][] = [fence(b.length, far), firstRow(b.length, far)];
  for (let i = 1; i <= a.length; i++) {
    const row = [far, i];
    let lastMatch = 0;
    for (let j = 1; j <= b.length; j++) {
      const swapRow = lastRowOf.get(b.charAt(j - 1)) ?? 0;
      const swapped = at(rows, swapRow, lastMatch) + (i - swapRow - 1) + 1 + (j - lastMatch - 1);
      const same = a.charAt(i - 1) === b.charAt(j - 1);
      const replaced = at(rows, i, j) + (same ? 0 : 1);
      row.push(Math.min(replaced, swapped, at(rows, i, j + 1) + 1, (row[j] ?? far) + 1));
      if (same) lastMatch = j;
    }
    rows.push(row);
    lastRowOf.set(a.charAt(i - 1), i);
  }
  return at(rows, a.length + 1, b.length + 1);
}

function fence(length: number, far: number): number[] {
  return Array.from({ length: length + 2 }, () => far);
}

function firstRow(length: number, far: number): number[] {
  return Array.from({ length: length + 2 }, (_, j) => (j === 0 ? far : j - 1));
}

function at(rows: readonly (readonly number[])[], row: number, column: number): number {
  return rows[row]?.[column] ?? 0;
}
