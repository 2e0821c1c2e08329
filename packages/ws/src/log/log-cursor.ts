import type { LogPage } from "./broker.ts";
import { type Continuity, judge, type StreamPosition } from "./stream-position.ts";

/**
 * Judges a position by a page that was read forward from its offset: the page's first entry knows the tag before it,
 * and an empty page ends at the top.
 */
export function judgeForward(position: StreamPosition, page: LogPage): Continuity {
  return judge(position, page, checkAt(position.offset, page));
}

function checkAt(offset: number, page: LogPage): number | undefined {
  if (offset === page.top.offset) return page.top.check;
  const first = page.entries[0];
  return first?.offset === offset + 1 ? first.prevCheck : undefined;
}
