import { CloseCode } from "@pm/proto";

/** How long to wait before connecting again. */
export type WaitRule =
  /** Full jitter over a time that doubles. It is never below `leastMs`. */
  | { readonly kind: "backoff"; readonly baseMs: number; readonly leastMs: number }
  /** A random time within bounds. */
  | { readonly kind: "spread"; readonly fromMs: number; readonly toMs: number };

/** Which words of the server say when to come back. */
export type HintSource = "none" | "go-away" | "error" | "any";

/** What a close code tells a client to do. */
export type CloseRule =
  | { readonly kind: "stop" }
  | { readonly kind: "wait"; readonly hint: HintSource; readonly otherwise: WaitRule }
  /** Fetch a token, then reconnect at once; `once`: stop when the next token is refused too. */
  | { readonly kind: "token"; readonly once: boolean };

const BACKOFF: WaitRule = { kind: "backoff", baseMs: 500, leastMs: 0 };
const FROM_1_S: WaitRule = { kind: "backoff", baseMs: 1000, leastMs: 1000 };
const STOP: CloseRule = { kind: "stop" };

const RULES: ReadonlyMap<number, CloseRule> = /* @__PURE__ */ new Map<number, CloseRule>([
  [CloseCode.NORMAL, STOP],
  [CloseCode.GOING_AWAY, wait(BACKOFF)],
  [CloseCode.PROTOCOL_ERROR, STOP],
  [CloseCode.UNSUPPORTED_DATA, STOP],
  [CloseCode.ABNORMAL, wait(BACKOFF)],
  [CloseCode.INVALID_UTF8, STOP],
  [CloseCode.POLICY, STOP],
  [CloseCode.TOO_BIG, wait(BACKOFF)],
  [CloseCode.INTERNAL_ERROR, wait(FROM_1_S)],
  [CloseCode.DRAINING, wait({ kind: "spread", fromMs: 0, toMs: 5000 }, "go-away")],
  [CloseCode.OVERLOADED, wait({ kind: "spread", fromMs: 5000, toMs: 30_000 }, "any")],
  [CloseCode.SLOW_CLIENT, wait(FROM_1_S)],
  [CloseCode.HEARTBEAT_TIMEOUT, wait(FROM_1_S)],
  [CloseCode.RATE_LIMITED, wait(FROM_1_S, "error")],
  [CloseCode.TOKEN_EXPIRED, { kind: "token", once: false }],
  [CloseCode.UNDECODABLE, STOP],
  [CloseCode.INVALID_TOKEN, { kind: "token", once: true }],
  [CloseCode.FORBIDDEN, STOP],
]);

/** The rule of a close code; for codes that are not known here, that of their range. */
export function closeRuleOf(code: number): CloseRule {
  const known = RULES.get(code);
  if (known !== undefined) return known;
  if (code >= 4500) return STOP;
  return wait(BACKOFF, code >= 4000 ? "any" : "none");
}

function wait(otherwise: WaitRule, hint: HintSource = "none"): CloseRule {
  return { kind: "wait", hint, otherwise };
}
