import type { Board, Card } from "./board.ts";

/** A tenant of the demo. */
export interface DemoTenant {
  readonly id: "acme" | "globex";
  readonly name: string;
  /** What its board holds before anything was published. */
  readonly seed: Board;
}

/** The two tenants, side by side. */
export const TENANTS: readonly [DemoTenant, DemoTenant] = [
  {
    id: "acme",
    name: "Acme",
    seed: {
      todo: cards("a", "Quote for the Hill Street roof", "Order copper pipe", "Renew the van insurance"),
      doing: cards("b", "Fit the boiler at No. 12", "Train Priya on the new crane"),
      done: cards("c", "Invoice for March"),
    },
  },
  {
    id: "globex",
    name: "Globex",
    seed: {
      todo: cards("a", "Book the spring fair", "Photos for the menu"),
      doing: cards("b", "Taste the summer teas", "New labels for the 250 g tin", "Find a second roaster"),
      done: cards("c", "Move the shop to the arcade"),
    },
  },
];

function cards(prefix: string, ...titles: readonly string[]): readonly Card[] {
  return titles.map((title, index) => ({ id: `${prefix}${index + 1}`, title }));
}
