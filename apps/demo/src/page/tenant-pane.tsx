import type { JSX } from "preact";
import { BoardView } from "./board-view.tsx";
import { ConnectionBadge } from "./connection-badge.tsx";
import { Controls } from "./controls.tsx";
import { LatencyPlot } from "./latency-plot.tsx";
import { StatusPanel } from "./status-panel.tsx";
import type { TenantModel } from "./tenant-model.ts";

/** One tenant: its board, and what its connection does. */
export function TenantPane({
  model,
  other,
}: {
  readonly model: TenantModel;
  readonly other: TenantModel;
}): JSX.Element {
  const { tenant, state } = model;
  const heading = `${tenant.id}-heading`;
  return (
    <section class="pane" data-tenant={tenant.id} data-offset={state.value?.offset ?? ""} aria-labelledby={heading}>
      <header class="pane-header">
        <h2 id={heading}>{tenant.name}</h2>
        <ConnectionBadge model={model} />
      </header>
      <BoardView model={model} />
      <ActivityList model={model} />
      <Controls model={model} other={other} />
      <p class="notice" role="status">
        {model.notice.value}
      </p>
      <StatusPanel model={model} />
      <LatencyPlot model={model} />
    </section>
  );
}

function ActivityList({ model }: { readonly model: TenantModel }): JSX.Element {
  const activities = model.activities.value;
  return (
    <ol class="activity" aria-label={`What happened at ${model.tenant.name}`}>
      {activities.length === 0 && <li class="quiet">Nothing has happened since you came.</li>}
      {activities.map(({ offset, text, atMs }) => (
        <li key={offset}>
          <span>{text}</span> <time dateTime={new Date(atMs).toISOString()}>{new Date(atMs).toLocaleTimeString()}</time>
        </li>
      ))}
    </ol>
  );
}
