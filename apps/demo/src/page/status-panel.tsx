import type { JSX } from "preact";
import { percentile } from "./percentile.ts";
import type { TenantModel } from "./tenant-model.ts";

const NUMBER = new Intl.NumberFormat("en-GB");

/** The numbers of a tenant's reader. */
export function StatusPanel({ model }: { readonly model: TenantModel }): JSX.Element {
  const { recovered, missed, isMissedUncertain } = model.interruptions.value;
  const latencies = model.latencies.value.map(({ latencyMs }) => latencyMs);
  return (
    <dl class="status">
      <Figure name="Epoch" title="The log that the offsets count in" value={model.epoch.value.slice(0, 6) || "–"} />
      <Figure
        name="Offset"
        title="The last publication that is on the board"
        value={count(model.state.value?.offset)}
      />
      <Figure name="Lag" title="Publications in the log that have not come yet" value={count(model.lag.value)} />
      <Figure name="Received" title="Publications a second" value={`${count(model.receivedPerSec.value)}/s`} />
      <Figure name="Recovered" title="Publications that came after an interruption" value={count(recovered)} />
      <Figure
        name="Missed"
        title="Publications that the log no longer held"
        value={`${count(missed)}${isMissedUncertain ? "+" : ""}`}
      />
      <Figure name="Median" title="From publish to delivery, last minute" value={ms(percentile(latencies, 0.5))} />
      <Figure name="99th" title="From publish to delivery, last minute" value={ms(percentile(latencies, 0.99))} />
    </dl>
  );
}

function Figure(props: { readonly name: string; readonly title: string; readonly value: string }): JSX.Element {
  return (
    <div title={props.title}>
      <dt>{props.name}</dt>
      <dd data-figure={props.name.toLowerCase()}>{props.value}</dd>
    </div>
  );
}

function count(value: number | undefined): string {
  return value === undefined ? "–" : NUMBER.format(value);
}

function ms(value: number | undefined): string {
  return value === undefined ? "–" : `${NUMBER.format(value)} ms`;
}
