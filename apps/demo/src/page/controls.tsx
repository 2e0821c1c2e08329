import type { JSX } from "preact";
import { now } from "./pulse-loop.ts";
import type { TenantModel } from "./tenant-model.ts";

const CUT_MS = 5_000;
const STALL_MS = 6_000;

/** What a visitor may do to a tenant, to see what comes of it. */
export function Controls({ model, other }: { readonly model: TenantModel; readonly other: TenantModel }): JSX.Element {
  const { connection, cutUntilMs, stalledUntilMs } = model;
  const isStalled = stalledUntilMs.value > now.value;
  const isAway = cutUntilMs.value > now.value || connection.value.kind === "waiting";
  return (
    <div class="controls" role="group" aria-label={`Try with ${model.tenant.name}`}>
      <button
        type="button"
        disabled={isStalled}
        onClick={() => (isAway ? model.mend() : model.cut(CUT_MS, Date.now()))}
      >
        {isAway ? "Reconnect now" : "Cut the connection"}
      </button>
      <button type="button" disabled={isStalled} onClick={() => model.stall(STALL_MS, Date.now())}>
        {isStalled ? `Stalled for ${Math.ceil((stalledUntilMs.value - now.value) / 1000)} s` : "Stall the reader"}
      </button>
      <button
        type="button"
        onClick={() => {
          void flood(other).then((text) => model.say(text, Date.now()));
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
