import { isCardId, isColumnId, isTitle, type ColumnId } from "./board.ts";

/** What a person does to a board: the event and the data of a publication. */
export type BoardCommand =
  | { readonly kind: "card.added"; readonly card: string; readonly column: ColumnId; readonly title: string }
  /** In front of another card of the column; at its end without one. */
  | {
      readonly kind: "card.moved";
      readonly card: string;
      readonly column: ColumnId;
      readonly before: string | undefined;
    }
  | { readonly kind: "card.removed"; readonly card: string };

/** A command with the id by which whoever gave it knows it again. */
export interface IssuedCommand {
  readonly id: string;
  readonly command: BoardCommand;
}

/** The data of the publication of a command; its event is the kind of the command. */
export function dataOf({ id, command }: IssuedCommand): Readonly<Record<string, string | undefined>> {
  const { kind: _event, ...data } = command;
  return { id, ...data };
}

/** The command of a publication; undefined for anything that is not one. */
export function parseCommand(event: string, data: unknown): IssuedCommand | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const fields = data as Record<string, unknown>;
  const command = commandOf(event, fields);
  return command !== undefined && isCardId(fields["id"]) ? { id: fields["id"], command } : undefined;
}

function commandOf(kind: string, { card, column, title, before }: Record<string, unknown>): BoardCommand | undefined {
  if (!isCardId(card)) return undefined;
  switch (kind) {
    case "card.added":
      return isColumnId(column) && isTitle(title) ? { kind, card, column, title } : undefined;
    case "card.moved":
      if (!isColumnId(column) || !(before === undefined || isCardId(before))) return undefined;
      return { kind, card, column, before };
    case "card.removed":
      return { kind, card };
    default:
      return undefined;
  }
}
