import type { Randomness } from "../platform/randomness.ts";
import type { ErrorMessage } from "../wire/messages.ts";
import { waitMs } from "./backoff.ts";
import { closeRuleOf, type HintSource } from "./close-rule.ts";

/** How a connection ended. */
export interface Closure {
  readonly code: number;
  readonly reason: string;
  /** Milliseconds from Welcome to the end; undefined when there was no Welcome. */
  readonly welcomedForMs: number | undefined;
  /** The Error that was the last message of the server. */
  readonly lastError: ErrorMessage | undefined;
  /** Milliseconds that are left of the wait that the last Error with one asked for; undefined when it is over. */
  readonly errorHintMs: number | undefined;
  /** Milliseconds that are left of the wait that a GoAway asked for; undefined when it is over. */
  readonly goAwayHintMs: number | undefined;
}

/** What to do after a connection has ended. */
export type Verdict =
  | { readonly kind: "stop" }
  | {
      readonly kind: "reconnect";
      readonly afterMs: number;
      /** The server named the time: nothing may shorten it. */
      readonly isHint: boolean;
      readonly needsToken: boolean;
    };

/** Waits grow again from the beginning after a connection that lasted so long. */
const HEALTHY_MS = 30_000;
/** A token was accepted when its connection lasted so long. */
const ACCEPTED_MS = 1_000;
const AGAIN = { kind: "backoff", baseMs: 500, leastMs: 0 } as const;

/** Judges the ends of connections, one after the other. */
export class ReconnectPolicy {
  readonly #random: Randomness;
  #attempt = 0;
  #moves = 0;
  #refusedTokens = 0;

  constructor(random: Randomness) {
    this.#random = random;
  }

  judge(closure: Closure): Verdict {
    const lastedMs = closure.welcomedForMs ?? 0;
    if (lastedMs >= HEALTHY_MS) this.#attempt = 0;
    if (lastedMs >= ACCEPTED_MS) this.#refusedTokens = 0;
    const rule = closeRuleOf(closure.code);
    switch (rule.kind) {
      case "stop":
        return { kind: "stop" };
      case "token":
        return this.#judgeToken(rule.once);
      case "wait": {
        const hintMs = hintOf(closure, rule.hint);
        const attempt = this.#attempt++;
        const afterMs = hintMs ?? waitMs(rule.otherwise, attempt, this.#random);
        const isHint = hintMs !== undefined || rule.otherwise.kind === "spread";
        return { kind: "reconnect", afterMs, isHint, needsToken: false };
      }
      default:
        return rule satisfies never;
    }
  }

  /**
   * Milliseconds to wait before a move. Where servers only send on, one to the other, it is not the client that
   * hurries.
   */
  moveAfterMs(hintMs: number, welcomedForMs: number): number {
    if (welcomedForMs >= HEALTHY_MS) this.#moves = 0;
    const moves = this.#moves++;
    return moves === 0 ? hintMs : Math.max(hintMs, waitMs(AGAIN, moves - 1, this.#random));
  }

  /** At once, unless tokens are refused one after the other: whoever issues them must not be stormed. */
  #judgeToken(once: boolean): Verdict {
    const refused = this.#refusedTokens++;
    if (once && refused > 0) return { kind: "stop" };
    const afterMs = refused === 0 ? 0 : waitMs(AGAIN, this.#attempt++, this.#random);
    return { kind: "reconnect", afterMs, isHint: false, needsToken: true };
  }
}

function hintOf({ errorHintMs, goAwayHintMs }: Closure, source: HintSource): number | undefined {
  switch (source) {
    case "none":
      return undefined;
    case "error":
      return errorHintMs;
    case "go-away":
      return goAwayHintMs;
    case "any":
      return errorHintMs ?? goAwayHintMs;
    default:
      return source satisfies never;
  }
}
