/** A message of which a part has come. */
export interface HalfSent {
  readonly sinceTick: number;
  /** How many messages had come then. */
  readonly messages: number;
}

/** A socket that holds more than its mark. */
export interface FallenBehind {
  readonly sinceTick: number;
  /** What the socket had taken then, and at the last look. */
  readonly takenBytes: number;
  readonly seenBytes: number;
}

/** What the sweep has noted of a connection that is not as it should be. Ticks are its seconds. */
export interface ConnectionWatch {
  readonly halfSent: HalfSent | undefined;
  readonly behind: FallenBehind | undefined;
}
