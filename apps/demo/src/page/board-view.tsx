import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { type ColumnId, COLUMNS } from "../board/board.ts";
import { type Direction, neighbour, step } from "../board/step.ts";
import { AddCard } from "./add-card.tsx";
import { CardView } from "./card-view.tsx";
import { dropPlace, draggedCard } from "./card-drag.ts";
import type { TenantModel } from "./tenant-model.ts";

/** The board of a tenant. Cards are moved by arrow keys, by the buttons of a card that is taken, or dragged. */
export function BoardView({ model }: { readonly model: TenantModel }): JSX.Element {
  const taken = useSignal<string | undefined>(undefined);
  const over = useSignal<ColumnId | undefined>(undefined);
  const wantsFocus = useRef<string | undefined>(undefined);
  const root = useRef<HTMLDivElement>(null);
  const board = model.board.value;

  // A card that changes its column is another element, and the focus has to follow.
  useLayoutEffect(() => {
    if (wantsFocus.current === undefined) return;
    root.current?.querySelector<HTMLElement>(`[data-card="${CSS.escape(wantsFocus.current)}"] > .card-title`)?.focus();
    wantsFocus.current = undefined;
  });

  const go = (card: string, direction: Direction): void => {
    if (taken.value !== card) {
      const next = neighbour(board, card, direction);
      const selector = `[data-card="${CSS.escape(next ?? card)}"] > .card-title`;
      root.current?.querySelector<HTMLElement>(selector)?.focus();
      return;
    }
    const command = step(board, card, direction);
    wantsFocus.current = card;
    if (command !== undefined) model.give(command);
  };

  const drop = (column: ColumnId, event: DragEvent): void => {
    over.value = undefined;
    const card = draggedCard(event, model.tenant.id);
    if (card === undefined) {
      model.say("Cards do not cross tenants.", Date.now());
      return;
    }
    event.preventDefault();
    model.give({ kind: "card.moved", card, column, before: dropPlace(event, card) });
  };

  return (
    <div class="board" ref={root}>
      {COLUMNS.map(({ id, title }) => (
        <section
          key={id}
          class={over.value === id ? "column over" : "column"}
          data-column={id}
          aria-label={`${title}, ${board[id].length} cards`}
          onDragOver={(event) => {
            event.preventDefault();
            over.value = id;
          }}
          onDragLeave={() => {
            over.value = undefined;
          }}
          onDrop={(event) => drop(id, event)}
        >
          <h3>
            {title} <span class="count">{board[id].length}</span>
          </h3>
          <ul>
            {board[id].map((card) => (
              <CardView
                key={card.id}
                card={card}
                model={model}
                isTaken={taken.value === card.id}
                onTake={(isTaken) => {
                  taken.value = isTaken ? card.id : undefined;
                }}
                onGo={(direction) => go(card.id, direction)}
              />
            ))}
          </ul>
          {id === "todo" && <AddCard model={model} />}
        </section>
      ))}
    </div>
  );
}
