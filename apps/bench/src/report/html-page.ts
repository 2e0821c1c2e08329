/** A piece of HTML that is safe to be put into a page. */
export type Html = string & { readonly __brand: "Html" };

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as HTML. */
export function escaped(text: string): Html {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "") as Html;
}

/** A template whose values are escaped, unless they are HTML that was made by this function. Lists are joined. */
export function html(parts: TemplateStringsArray, ...values: readonly (HtmlValue | readonly HtmlValue[])[]): Html {
  let page = parts[0] ?? "";
  for (const [index, value] of values.entries()) page += valueOf(value) + (parts[index + 1] ?? "");
  return page as Html;
}

/** What can stand in a template: text and numbers, to be escaped, or HTML in an object that says so. */
export type HtmlValue = string | number | Markup;

/** HTML that is to be put into a template as it is. */
export interface Markup {
  readonly markup: Html;
}

/** Marks HTML as such. */
export function raw(markup: Html): Markup {
  return { markup };
}

/** A table: the first column to the left, the others to the right. */
export function htmlTable(head: readonly string[], rows: readonly (readonly string[])[]): Html {
  const cells = (row: readonly string[]): Markup[] =>
    row.map((cell) => raw(html`<td class="${verdictClass(cell)}">${cell}</td>`));
  return html`<div class="scroll"><table>
<thead><tr>${head.map((title) => raw(html`<th>${title}</th>`))}</tr></thead>
<tbody>${rows.map((row) => raw(html`<tr>${cells(row)}</tr>\n`))}</tbody>
</table></div>`;
}

/** A whole page that needs nothing from anywhere. */
export function htmlPage(title: string, body: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${raw(STYLE)}</style>
</head>
<body><main>
<h1>${title}</h1>
${raw(body)}
</main></body>
</html>
`;
}

function valueOf(value: HtmlValue | readonly HtmlValue[]): string {
  if (typeof value === "object" && !("markup" in value)) return value.map(valueOf).join("");
  return typeof value === "object" ? value.markup : escaped(String(value));
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2430; --dim: #5c6675; --rule: #d8dde5; --paper: #ffffff; --shade: #00000040; --good: #0a7a3d; --bad: #b3261e;
  --series-0: #0b62c4; --series-1: #b3541e; --series-2: #6f42c1; --series-3: #5c6675; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaf0; --dim: #9aa5b5; --rule: #333c49; --paper: #151a21; --shade: #ffffff40; --good: #5bd08b; --bad: #ff8a80;
    --series-0: #6cb2ff; --series-1: #ffa76b; --series-2: #c3a2ff; --series-3: #9aa5b5; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
p.note, li { color: var(--dim); }
.scroll { overflow-x: auto; background: linear-gradient(to right, var(--paper) 40%, transparent) 0 0 / 2rem 100% no-repeat local,
  linear-gradient(to left, var(--paper) 40%, transparent) 100% 0 / 2rem 100% no-repeat local,
  linear-gradient(to right, var(--shade), transparent) 0 0 / .8rem 100% no-repeat,
  linear-gradient(to left, var(--shade), transparent) 100% 0 / .8rem 100% no-repeat; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--rule); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
td.met { color: var(--good); } td.missed { color: var(--bad); }
svg { max-width: 100%; height: auto; }
svg text { fill: var(--dim); font: 12px system-ui, sans-serif; }
svg .grid { stroke: var(--rule); } svg .one { stroke: var(--dim); } svg .target { stroke: var(--ink); stroke-width: 2; }
svg .line { fill: none; stroke-width: 2; }
@media (max-width: 600px) {
  svg text { font-size: 22px; }
  th, td { padding: .3rem .5rem; }
}
` as Html;

/** Verdicts have a colour. */
function verdictClass(cell: string): string {
  return cell === "met" || cell === "missed" ? cell : "";
}
