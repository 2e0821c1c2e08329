import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { isTitle, MAX_TITLE } from "../board/board.ts";
import type { TenantModel } from "./tenant-model.ts";

/** A line in which a new card is written. */
export function AddCard({ model }: { readonly model: TenantModel }): JSX.Element {
  const title = useSignal("");
  const add = (event: SubmitEvent): void => {
    event.preventDefault();
    const text = title.value.trim();
    if (!isTitle(text)) return;
    model.give({ kind: "card.added", card: crypto.randomUUID(), column: "todo", title: text });
    title.value = "";
  };
  return (
    <form class="add-card" onSubmit={add}>
      <input
        type="text"
        name="title"
        autocomplete="off"
        maxLength={MAX_TITLE}
        placeholder="New card"
        aria-label={`New card for ${model.tenant.name}`}
        value={title.value}
        onInput={({ currentTarget }) => {
          title.value = currentTarget.value;
        }}
      />
      <button type="submit" aria-label="Add the card">
        +
      </button>
    </form>
  );
}
