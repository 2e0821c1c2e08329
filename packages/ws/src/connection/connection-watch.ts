/** What the sweep has noted of one connection. Ticks are its seconds; 0 means that the state does not hold. */
export interface ConnectionWatch {
  /** When the last ping went out, or would have gone out before the connection began. */
  pingTick: number;
  /** When the first ping after the last sign of life went out. */
  unansweredSince: number;
  /** Since when a message is half-sent, and how many messages had come then. */
  partialSince: number;
  partialMessages: number;
  /** Since when the connection is behind, and what its socket had taken then. */
  behindSince: number;
  takenBytes: number;
  /** What its socket had taken at the last look. */
  seenBytes: number;
  /** What the metrics know already. */
  bytesIn: number;
  messagesOut: number;
  bytesOut: number;
}

export function newWatch(pingTick: number): ConnectionWatch {
  return {
    pingTick,
    unansweredSince: 0,
    partialSince: 0,
    partialMessages: 0,
    behindSince: 0,
    takenBytes: 0,
    seenBytes: 0,
    bytesIn: 0,
    messagesOut: 0,
    bytesOut: 0,
  };
}
