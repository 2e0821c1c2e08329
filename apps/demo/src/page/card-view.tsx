import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Card } from "../board/board.ts";
import type { Direction } from "../board/step.ts";
import { beginDrag } from "./card-drag.ts";
import type { TenantModel } from "./tenant-model.ts";

/** What a CardView shows and tells. */
export interface CardViewProps {
  readonly card: Card;
  readonly model: TenantModel;
  readonly isTaken: boolean;
  readonly onTake: (isTaken: boolean) => void;
  readonly onGo: (direction: Direction) => void;
}

const KEYS: Readonly<Record<string, Direction>> = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
};
const MOVES: readonly { readonly direction: Direction; readonly sign: string }[] = [
  { direction: "left", sign: "←" },
  { direction: "up", sign: "↑" },
  { direction: "down", sign: "↓" },
  { direction: "right", sign: "→" },
];

/** A card. Taken, it has buttons that move it. */
export function CardView({ card, model, isTaken, onTake, onGo }: CardViewProps): JSX.Element {
  const element = useRef<HTMLLIElement>(null);
  const touched = model.touched.value;
  const touchedAt = touched?.card === card.id ? touched.offset : undefined;
  useEffect(() => {
    if (touchedAt !== undefined) flash(element.current);
  }, [touchedAt]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const direction = KEYS[event.key];
    if (direction !== undefined) onGo(direction);
    else if (event.key === "Escape") onTake(false);
    else return;
    event.preventDefault();
  };
  const isPending = model.pendingCards.value.has(card.id);
  return (
    <li
      ref={element}
      class={`card${isTaken ? " taken" : ""}${isPending ? " pending" : ""}`}
      data-card={card.id}
      draggable
      onDragStart={(event) => beginDrag(event, model.tenant.id, card.id)}
      onKeyDown={onKeyDown}
    >
      <button type="button" class="card-title" aria-pressed={isTaken} onClick={() => onTake(!isTaken)}>
        {card.title}
      </button>
      {isTaken && (
        <div class="card-moves">
          {MOVES.map(({ direction, sign }) => (
            <button key={direction} type="button" aria-label={`Move ${direction}`} onClick={() => onGo(direction)}>
              {sign}
            </button>
          ))}
          <button
            type="button"
            class="remove"
            aria-label={`Remove ${card.title}`}
            onClick={() => model.give({ kind: "card.removed", card: card.id })}
          >
            ×
          </button>
        </div>
      )}
    </li>
  );
}

/** Shows that somebody else changed the card. */
function flash(element: HTMLElement | null): void {
  if (element === null || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const colour = getComputedStyle(element).getPropertyValue("--accent-line");
  element.animate([{ boxShadow: `0 0 0 3px ${colour}` }, { boxShadow: "0 0 0 3px transparent" }], 1200);
}
