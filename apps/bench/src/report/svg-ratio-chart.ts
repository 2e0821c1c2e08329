import { type Html, html, raw } from "./html-page.ts";

/** A line of the chart. */
export interface RatioLine {
  readonly label: string;
  /** One value a series, in the order of the legend; what is not finite is left out. */
  readonly values: readonly number[];
  readonly target?: number | undefined;
}

const WIDTH = 900;
const LABEL_WIDTH = 200;
const ROW_HEIGHT = 30;
const HEAD_HEIGHT = 34;
const FOOT_HEIGHT = 26;
const MIN = 0.01;
const MAX = 10;
const TICKS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10];

/** Ratios to the plain ws server as dots on a logarithmic axis, with a mark where the target is. */
export function ratioChart(legend: readonly string[], lines: readonly RatioLine[]): Html {
  const bottom = HEAD_HEIGHT + lines.length * ROW_HEIGHT;
  const height = bottom + FOOT_HEIGHT;
  const grid = TICKS.map((tick) =>
    raw(html`<line class="${tick === 1 ? "one" : "grid"}" x1="${xOf(tick)}" x2="${xOf(tick)}" y1="${HEAD_HEIGHT}" y2="${bottom}"/>
<text x="${xOf(tick)}" y="${bottom + 18}" text-anchor="middle">${tick}</text>`),
  );
  return html`<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Ratios to the plain ws server">
${legendOf(legend)}
${grid}
${lines.map((line, index) => raw(rowOf(line, HEAD_HEIGHT + index * ROW_HEIGHT + ROW_HEIGHT / 2)))}
</svg>`;
}

function legendOf(names: readonly string[]): ReturnType<typeof raw>[] {
  const entries = names.map((name, index) => {
    const x = LABEL_WIDTH + index * 150;
    return raw(
      html`<circle cx="${x + 6}" cy="14" r="6" fill="var(--series-${index})"/><text x="${x + 18}" y="18">${name}</text>`,
    );
  });
  const x = LABEL_WIDTH + names.length * 150;
  return [
    ...entries,
    raw(
      html`<line class="target" x1="${x + 6}" x2="${x + 6}" y1="6" y2="22"/><text x="${x + 18}" y="18">target for pm</text>`,
    ),
  ];
}

function rowOf({ label, values, target }: RatioLine, y: number): Html {
  const dots = values.map((value, index) =>
    raw(
      Number.isFinite(value) && value > 0
        ? html`<circle cx="${xOf(value)}" cy="${y}" r="6" fill="var(--series-${index})"><title>${value.toFixed(3)}</title></circle>`
        : html``,
    ),
  );
  const mark =
    target === undefined
      ? html``
      : html`<line class="target" x1="${xOf(target)}" x2="${xOf(target)}" y1="${y - 9}" y2="${y + 9}"/>`;
  return html`<text x="${LABEL_WIDTH - 12}" y="${y + 4}" text-anchor="end">${label}</text>
${raw(mark)}
${dots}`;
}

/** Values beyond the axis are drawn at its ends. */
function xOf(value: number): number {
  const clamped = Math.min(MAX, Math.max(MIN, value));
  const share = Math.log(clamped / MIN) / Math.log(MAX / MIN);
  return Math.round((LABEL_WIDTH + share * (WIDTH - LABEL_WIDTH - 20)) * 10) / 10;
}
