import { CloseCode } from "@pm/proto";

/** How a connection ended, or why there was none. */
export type SessionEnd =
  | { readonly kind: "closed"; readonly code: number; readonly reason: string }
  | {
      readonly kind: "refused";
      readonly status: number;
      readonly reason: string;
      readonly retryAfterMs: number | undefined;
    }
  | { readonly kind: "unreachable"; readonly reason: string };

/** What else decides what comes next. */
export interface ReconnectState {
  /** False until a connection has once been welcomed. */
  readonly everWelcomed: boolean;
  /** Attempts since the last welcome that came to nothing. */
  readonly failures: number;
  /** What GoAway said. */
  readonly hintMs: number | undefined;
  /** True where a new token can be had. */
  readonly renewsToken: boolean;
  /** From 0 to 1. */
  readonly random: number;
}

/** Stop, or wait and connect again. */
export type ReconnectPlan = { readonly kind: "stop" } | { readonly kind: "wait"; readonly ms: number };

const MAX_JITTER_MS = 20_000;
const FIRST_NO_RECONNECT = 4500;
const FIRST_OF_PM = 4000;
const STOP_CODES = new Set<number>([
  CloseCode.NORMAL,
  CloseCode.PROTOCOL_ERROR,
  CloseCode.UNSUPPORTED_DATA,
  CloseCode.INVALID_UTF8,
  CloseCode.POLICY,
]);
const FROM_ONE_SECOND = new Set<number>([CloseCode.INTERNAL_ERROR, CloseCode.SLOW_CLIENT, CloseCode.HEARTBEAT_TIMEOUT]);

/** What to do after an end, by the table of close codes. Before the first welcome a failure is the user's to see. */
export function planReconnect(end: SessionEnd, state: ReconnectState): ReconnectPlan {
  if (end.kind === "closed") return planAfterClose(end.code, state);
  if (end.kind === "refused") return planAfterRefusal(end.status, end.retryAfterMs, state);
  return state.everWelcomed ? jitter(500, state) : { kind: "stop" };
}

function planAfterRefusal(status: number, retryAfterMs: number | undefined, state: ReconnectState): ReconnectPlan {
  const mayPass = status === 429 || status >= 500;
  if (!state.everWelcomed || !mayPass) return { kind: "stop" };
  return retryAfterMs === undefined ? jitter(1000, state) : { kind: "wait", ms: retryAfterMs };
}

function planAfterClose(code: number, state: ReconnectState): ReconnectPlan {
  if (code >= FIRST_NO_RECONNECT || STOP_CODES.has(code)) return { kind: "stop" };
  if (code === CloseCode.TOKEN_EXPIRED) return planAfterExpiry(state);
  if (FROM_ONE_SECOND.has(code)) return jitter(1000, state);
  if (code === CloseCode.DRAINING) return { kind: "wait", ms: state.hintMs ?? state.random * 5000 };
  if (code === CloseCode.OVERLOADED) return { kind: "wait", ms: state.hintMs ?? 5000 + state.random * 25_000 };
  if (code >= FIRST_OF_PM && state.hintMs !== undefined) return { kind: "wait", ms: state.hintMs };
  return jitter(500, state);
}

/** A new token is tried at once, but one that does not help is not tried in a loop. */
function planAfterExpiry(state: ReconnectState): ReconnectPlan {
  if (!state.renewsToken) return { kind: "stop" };
  return state.failures === 0 ? { kind: "wait", ms: 0 } : jitter(500, state);
}

/** Full jitter: any time up to a bound that doubles with every failure. */
function jitter(firstMs: number, { failures, random }: ReconnectState): ReconnectPlan {
  return { kind: "wait", ms: random * Math.min(MAX_JITTER_MS, firstMs * 2 ** Math.min(failures, 16)) };
}

/** Why there is no connection, in a few words. */
export function describeEnd(end: SessionEnd): string {
  if (end.kind === "closed") return `closed with ${end.code}${end.reason === "" ? "" : ` ${end.reason}`}`;
  return end.kind === "unreachable" ? `cannot be reached (${end.reason})` : end.reason;
}
