/**
 * The value of a series in Prometheus's text form, by its name and labels as they are written; 0 when it is not there.
 */
export function seriesValue(text: string, series: string): number {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}
