/** A message of which a part has come. */
export interface HalfSent {
  readonly sinceTick: number;
  /** How many messages had come then. */
  readonly messages: number;
}

/** A socket that holds more than its mark. */
export interface FallenBehind {
  sinceTick: number;
  /** What the socket had taken then, and at the last look. */
  takenBytes: number;
  seenBytes: number;
}

/** What the sweep has noted of one connection. Ticks are its seconds. */
export interface ConnectionWatch {
  /** When the last ping went out, or would have gone out before the connection began. */
  pingTick: number;
  /** When the first ping after the last sign of life went out; 0: there is none. */
  unansweredSince: number;
  halfSent: HalfSent | undefined;
  behind: FallenBehind | undefined;
}

export function newWatch(pingTick: number): ConnectionWatch {
  return { pingTick, unansweredSince: 0, halfSent: undefined, behind: undefined };
}
