/** The form of a dragged card in a DataTransfer; its tenant is in it. */
const FORM = "application/x-pm-card";

/** Puts a card into a drag that begins. */
export function beginDrag({ dataTransfer }: DragEvent, tenant: string, card: string): void {
  if (dataTransfer === null) return;
  dataTransfer.setData(FORM, JSON.stringify([tenant, card]));
  dataTransfer.effectAllowed = "move";
}

/** The card of a drag that ends; undefined for anything that is not a card of this tenant. */
export function draggedCard({ dataTransfer }: DragEvent, tenant: string): string | undefined {
  const text = dataTransfer?.getData(FORM) ?? "";
  if (text === "") return undefined;
  const [from, card] = JSON.parse(text) as readonly [string, string];
  return from === tenant ? card : undefined;
}

/** The card of the column in front of which a drag ends; undefined at its end. */
export function dropPlace({ currentTarget, clientY }: DragEvent, dragged: string): string | undefined {
  if (!(currentTarget instanceof Element)) return undefined;
  for (const element of currentTarget.querySelectorAll<HTMLElement>("[data-card]")) {
    const { top, height } = element.getBoundingClientRect();
    if (clientY < top + height / 2 && element.dataset["card"] !== dragged) return element.dataset["card"];
  }
  return undefined;
}
