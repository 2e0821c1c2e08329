import type { JSX } from "preact";
import type { TenantModel } from "./tenant-model.ts";
import { TenantPane } from "./tenant-pane.tsx";

/** The page: what it is, and a pane for each tenant. */
export function App({ models, user }: { readonly models: readonly TenantModel[]; readonly user: string }): JSX.Element {
  return (
    <>
      <header class="page-header">
        <div>
          <h1>Two tenants, one server</h1>
          <p>
            Move a card: it moves in every open window of the same tenant, and never in the other’s. You are{" "}
            <strong>{user}</strong>.
          </p>
        </div>
        <a class="button primary" href="/demo/" target="_blank" rel="noopener">
          Open a second window
        </a>
      </header>
      <main>
        {models.map((model, index) => (
          <TenantPane key={model.tenant.id} model={model} other={models[1 - index] ?? model} />
        ))}
      </main>
      <footer>
        <p>
          <kbd>Tab</kbd> reaches a card, <kbd>Enter</kbd> takes it, arrow keys move it, <kbd>Esc</kbd> lets go. Or drag
          it; on a phone, tap it.
        </p>
      </footer>
    </>
  );
}
