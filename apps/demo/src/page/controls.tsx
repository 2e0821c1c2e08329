import type { JSX } from "preact";
import { now } from "./pulse-loop.ts";
import type { TenantModel } from "./tenant-model.ts";

const STALL_MS = 6_000;

/** What a visitor may do to a tenant, to see what comes of it. */
export function Controls({ model, other }: { readonly model: TenantModel; readonly other: TenantModel }): JSX.Element {
  const { connection, stalledUntilMs, notice } = model;
  const isStalled = stalledUntilMs.value > now.value;
  const isAway = connection.value.kind === "waiting";
  return (
    <div class="controls" role="group" aria-label={`Try with ${model.tenant.name}`}>
      <button type="button" disabled={isStalled} onClick={() => (isAway ? model.hurry() : model.cut())}>
        {isAway ? "Reconnect now" : "Cut the connection"}
      </button>
      <button type="button" disabled={isStalled} onClick={() => model.stall(STALL_MS, Date.now())}>
        {isStalled ? `Stalled for ${Math.ceil((stalledUntilMs.value - now.value) / 1000)} s` : "Stall the reader"}
      </button>
      <button
        type="button"
        onClick={() => {
          void flood(other).then((text) => {
            notice.value = text;
          });
        }}
      >
        Flood {other.tenant.name}
      </button>
    </div>
  );
}

async function flood({ tenant }: TenantModel): Promise<string> {
  try {
    const response = await fetch(`/demo/flood?tenant=${tenant.id}`, { method: "POST" });
    if (!response.ok) return `The server does not flood ${tenant.name} (${response.status}).`;
    const { seconds } = (await response.json()) as { readonly seconds: number };
    return `The server floods ${tenant.name} for ${seconds} seconds.`;
  } catch {
    return "The server does not answer.";
  }
}
