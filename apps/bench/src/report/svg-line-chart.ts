import { type Html, html, type Markup, raw } from "./html-page.ts";
import { plain } from "./quantity.ts";

/** A line of the chart. */
export interface ChartLine {
  readonly name: string;
  /** In the order of x. */
  readonly points: readonly ChartPoint[];
}

/** A point of a line. */
export interface ChartPoint {
  readonly x: number;
  readonly y: number;
}

/** What a chart shows. */
export interface LineChart {
  readonly title: string;
  readonly lines: readonly ChartLine[];
  /** Texts under the axis, where they are. */
  readonly xLabels: readonly { readonly x: number; readonly text: string }[];
  readonly yUnit: string;
}

const WIDTH = 900;
const HEIGHT = 260;
const LEFT = 124;
const RIGHT = 40;
const TOP = 34;
const BOTTOM = 28;
const Y_STEPS = 4;

/** Lines over a common axis that begins at 0. */
export function lineChart({ title, lines, xLabels, yUnit }: LineChart): Html {
  const points = lines.flatMap(({ points: own }) => own);
  const maxY = niceCeiling(Math.max(0, ...points.map(({ y }) => y)));
  const xs = points.map(({ x }) => x);
  const place = placing({ minX: Math.min(...xs, 0), maxX: Math.max(...xs, 1), maxY });
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
${lines.map(({ name }, index) => legendEntry(name, index))}
${gridLines(maxY, yUnit, place)}
${xLabels.map(({ x, text }) => raw(html`<text x="${place({ x, y: 0 }).x}" y="${HEIGHT - 8}" text-anchor="middle">${text}</text>\n`))}
${lines.map(({ points: own }, index) => polyline(own.map(place), index))}
</svg>`;
}

/** The next number of the form 1, 2 or 5 times a power of ten; 1 for 0. */
export function niceCeiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= value * (1 - Number.EPSILON)) ?? 10;
  return factor * power;
}

type Place = (point: ChartPoint) => ChartPoint;

function placing({ minX, maxX, maxY }: { minX: number; maxX: number; maxY: number }): Place {
  const width = WIDTH - LEFT - RIGHT;
  const height = HEIGHT - TOP - BOTTOM;
  return ({ x, y }) => ({
    x: tenths(LEFT + ((x - minX) / (maxX - minX)) * width),
    y: tenths(TOP + height - (y / maxY) * height),
  });
}

function gridLines(maxY: number, unit: string, place: Place): Markup[] {
  return Array.from({ length: Y_STEPS + 1 }, (_, step) => {
    const value = (maxY * step) / Y_STEPS;
    const { y } = place({ x: 0, y: value });
    return raw(html`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>
<text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${plain(value)} ${unit}</text>\n`);
  });
}

function legendEntry(name: string, index: number): Markup {
  const x = LEFT + index * 220;
  return raw(
    html`<circle cx="${x + 6}" cy="14" r="6" fill="var(--series-${index})"/><text x="${x + 18}" y="18">${name}</text>\n`,
  );
}

function polyline(points: readonly ChartPoint[], index: number): Markup {
  const path = points.map(({ x, y }) => `${x},${y}`).join(" ");
  return raw(html`<polyline class="line" stroke="var(--series-${index})" points="${path}"/>\n`);
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
