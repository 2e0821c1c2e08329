import type { Publication } from "../channel/publication.ts";
import type { MissReason, StreamPosition } from "../wire/messages.ts";

/** What a page of history has. */
export interface HistoryOptions {
  /**
   * Forward: the page begins after it. Backward: it holds what is before it. Give the `position` of one page to get the
   * next; `null` is none.
   * @default forward the beginning of what is retained, backward its end
   */
  readonly since?: StreamPosition | null | undefined;
  /**
   * Publications in the page, up to what the server allows.
   * @default 100
   */
  readonly limit?: number | undefined;
  /**
   * Newest first.
   * @default false
   */
  readonly backward?: boolean | undefined;
}

/** A page of a log. */
export interface HistoryPage<Data = unknown> {
  /** In reading direction. A payload that is not valid is left out, and told by the event `invalid`. */
  readonly publications: readonly Publication<Data>[];
  /** Of the last publication: `since` of the next page. */
  readonly position: StreamPosition;
  /** There is more in this direction. */
  readonly hasMore: boolean;
  /** Why the page does not begin at `since`; undefined when it does. */
  readonly miss: MissReason | undefined;
  /** The end of the log. */
  readonly top: StreamPosition;
}
