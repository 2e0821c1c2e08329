import { PmClientError } from "../pm-client-error.ts";
import type { PayloadType } from "../payload/payload-type.ts";
import type { PublicationMessage, StreamPosition } from "../wire/messages.ts";
import type { Miss } from "./subscription-listener.ts";

/** One message in a channel. */
export interface Publication<Data = unknown> {
  readonly channel: string;
  /** Where it is in the log. */
  readonly position: StreamPosition;
  readonly data: Data;
  /** Free name of what happened; may be empty. */
  readonly event: string;
  /** Id of the user who published; empty when a backend did. */
  readonly publisher: string;
  /** When the server took it, in milliseconds since 1970. It may repeat or go back: only offsets order. */
  readonly publishedAtMs: number;
  /** The same as in the result of its `publish`. */
  readonly messageId: string;
  /** W3C traceparent, as the publisher gave it; may be empty. */
  readonly traceParent: string;
  /** What was missed between the publication before and this one, all in all. Also told by `lagged` and `missed`. */
  readonly missedBefore: Miss | undefined;
}

/** Where a publication was met. */
export interface PublicationPlace {
  readonly position: StreamPosition;
  /** Undefined in a page of history too. */
  readonly missedBefore: Miss | undefined;
}

/** What is known of a publication beside its message. */
export interface PublicationContext<Data> extends PublicationPlace {
  readonly type: PayloadType<Data, never>;
}

/**
 * A publication as applications see it.
 * @throws PmClientError `INVALID_PAYLOAD`
 */
export function toPublication<Data>(message: PublicationMessage, context: PublicationContext<Data>): Publication<Data> {
  const { channel, event, publisher, publishedAtMs, messageId, traceParent } = message;
  const { position, missedBefore } = context;
  const data = decodeData(message, context.type);
  return { channel, position, data, event, publisher, publishedAtMs, messageId, traceParent, missedBefore };
}

function decodeData<Data>({ channel, payload }: PublicationMessage, type: PayloadType<Data, never>): Data {
  try {
    return type.decode(payload?.kind);
  } catch (cause) {
    throw PmClientError.invalidPayload(channel, cause);
  }
}
