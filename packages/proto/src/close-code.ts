/**
 * The WebSocket close codes of pm.v1. 4000 to 4499 mean reconnect, 4500 to 4999 mean do not; RFC 6455, section 7.4, for
 * those below 4000.
 */
export const CloseCode = {
  /** Asked for: stop. */
  NORMAL: 1000,
  /** Went away: reconnect. */
  GOING_AWAY: 1001,
  /** A bad frame: stop, report. */
  PROTOCOL_ERROR: 1002,
  /** The wrong kind of frame: stop, report. */
  UNSUPPORTED_DATA: 1003,
  /** No close frame was seen; never sent. */
  ABNORMAL: 1006,
  /** Bad UTF-8: stop, report. */
  INVALID_UTF8: 1007,
  /** Too many fragments or control frames: stop. */
  POLICY: 1008,
  /** Too big: reconnect, do not resend it. */
  TOO_BIG: 1009,
  /** Our fault: reconnect from 1 s. */
  INTERNAL_ERROR: 1011,
  /** Draining: reconnect after the hint of GoAway, else within 5 s. */
  DRAINING: 1012,
  /** Overloaded: reconnect after 5 to 30 s; the hint wins. */
  OVERLOADED: 1013,
  /** Too slow: reconnect from 1 s and recover. */
  SLOW_CLIENT: 4008,
  /** No pong: reconnect from 1 s and recover. */
  HEARTBEAT_TIMEOUT: 4009,
  /** Rate or quota: reconnect after the hint. */
  RATE_LIMITED: 4029,
  /** Token expired: fetch a new one, then reconnect at once. */
  TOKEN_EXPIRED: 4401,
  /** Undecodable, or over a structural budget: stop. */
  UNDECODABLE: 4500,
  /** Bad token: fetch one once, then stop. */
  INVALID_TOKEN: 4501,
  /** Forbidden, revoked, tenant suspended: stop. */
  FORBIDDEN: 4503,
} as const;

/** One of the codes of `CloseCode`. */
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];
