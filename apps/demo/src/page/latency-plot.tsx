import { effect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { now } from "./pulse-loop.ts";
import type { TenantModel } from "./tenant-model.ts";

const HEIGHT = 120;
const WINDOW_SECS = 60;
/** The axis is logarithmic: a stalled reader and a quick one are both to be seen. */
const TICKS = [
  { ms: 1, label: "1 ms" },
  { ms: 10, label: "10 ms" },
  { ms: 100, label: "100 ms" },
  { ms: 1000, label: "1 s" },
  { ms: 10_000, label: "10 s" },
];
const SPLITS = TICKS.map(({ ms }) => Math.log10(ms));

/** How long publications took, over the last minute. */
export function LatencyPlot({ model }: { readonly model: TenantModel }): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => (host.current === null ? undefined : draw(host.current, model)), [model]);
  return (
    <figure class="latency">
      <figcaption>Latency, last minute</figcaption>
      <div ref={host} role="img" aria-label={`Latency of ${model.tenant.name} over the last minute`} />
    </figure>
  );
}

/** Draws until the returned function is called; anew in other colours when the scheme of the page changes. */
function draw(host: HTMLElement, model: TenantModel): () => void {
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  let plot = create(host);
  const recreate = (): void => {
    plot.destroy();
    plot = create(host);
  };
  const resized = new ResizeObserver(() => plot.setSize({ width: host.clientWidth, height: HEIGHT }));
  resized.observe(host);
  scheme.addEventListener("change", recreate);
  const endEffect = effect(() => {
    const nowSecs = now.value / 1000;
    const points = model.latencies.value;
    plot.setData([
      points.map(({ publishedAtMs }) => publishedAtMs / 1000),
      points.map(({ latencyMs }) => Math.log10(Math.max(1, latencyMs))),
    ]);
    plot.setScale("x", { min: nowSecs - WINDOW_SECS, max: nowSecs });
  });
  return () => {
    endEffect();
    scheme.removeEventListener("change", recreate);
    resized.disconnect();
    plot.destroy();
  };
}

function create(host: HTMLElement): uPlot {
  const style = getComputedStyle(host);
  const line = style.getPropertyValue("--accent-line");
  const quiet = style.getPropertyValue("--quiet");
  const grid = { stroke: style.getPropertyValue("--rule"), width: 1 };
  const axis = { stroke: quiet, grid, ticks: { show: false }, font: "11px system-ui, sans-serif" };
  const options: uPlot.Options = {
    width: host.clientWidth,
    height: HEIGHT,
    padding: [8, 20, 0, 0],
    cursor: { show: false },
    legend: { show: false },
    scales: { x: { time: true }, y: { range: [0, SPLITS.at(-1) ?? 0] } },
    axes: [
      { ...axis, size: 24, space: 80, values: (_plot, ticks) => ticks.map(clockTime) },
      { ...axis, size: 52, splits: SPLITS, values: () => TICKS.map(({ label }) => label) },
    ],
    series: [{}, { stroke: line, width: 1.5, points: { show: false } }],
  };
  return new uPlot(options, [[], []], host);
}

function clockTime(secs: number): string {
  return new Date(secs * 1000).toLocaleTimeString(undefined, { minute: "2-digit", second: "2-digit" });
}
