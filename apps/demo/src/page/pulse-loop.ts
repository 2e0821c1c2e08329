import { type Signal, signal } from "@preact/signals";
import type { LogTops, TenantModel } from "./tenant-model.ts";

const EVERY_MS = 500;

/** The time as the page shows it, twice a second. */
export const now: Signal<number> = signal(Date.now());

/**
 * Asks the server for a pulse in every tenant, as long as the page is open, and tells each model where its logs end.
 */
export function startPulse(models: readonly TenantModel[]): void {
  let isAsking = false;
  setInterval(() => {
    now.value = Date.now();
    for (const model of models) model.measure(now.value);
    if (isAsking) return;
    isAsking = true;
    void pulse(models).finally(() => {
      isAsking = false;
    });
  }, EVERY_MS);
}

async function pulse(models: readonly TenantModel[]): Promise<void> {
  try {
    const response = await fetch("/demo/pulse", { method: "POST" });
    const tops = (await response.json()) as Readonly<Record<string, LogTops>>;
    for (const model of models) {
      const found = tops[model.tenant.id];
      if (found !== undefined) model.onTops(found);
    }
  } catch {
    // The server is away; the connections of the page say so.
  }
}
