import { CloseCode } from "@pm/proto";
import { PmClientError } from "../pm-client-error.ts";
import type { CancelTimer, Clock } from "../platform/clock.ts";
import type { TokenSource } from "../token/token-source.ts";
import type { Connection } from "./connection.ts";

/** What a Dialer is made of. */
export interface DialerPorts {
  readonly clock: Clock;
  readonly tokens: TokenSource;
  /** Begins a connection. May throw where the platform refuses the URL. */
  readonly open: (token: string) => Connection;
  /** There will be no connection any more. */
  readonly onHopeless: (error: PmClientError) => void;
}

/** When to dial. */
export interface DialPlan {
  readonly afterMs: number;
  /** The server named the time: nothing may shorten it. */
  readonly isHint: boolean;
  /** Set: the token there is will not do. */
  readonly tokenReason?: "expired" | "refused" | undefined;
}

type DialerState =
  | { readonly kind: "idle" }
  | { readonly kind: "waiting"; readonly cancel: CancelTimer; readonly plan: DialPlan }
  | { readonly kind: "fetching" }
  | { readonly kind: "opening"; readonly connection: Connection };

/** Makes one connection at a time: waits, gets a token, opens. */
export class Dialer {
  readonly #ports: DialerPorts;
  #state: DialerState = { kind: "idle" };

  constructor(ports: DialerPorts) {
    this.#ports = ports;
  }

  /** The connection that is being opened. */
  get opening(): Connection | undefined {
    return this.#state.kind === "opening" ? this.#state.connection : undefined;
  }

  get isIdle(): boolean {
    return this.#state.kind === "idle";
  }

  /** Dials after a while, in the place of whatever was under way. */
  dial(plan: DialPlan): void {
    this.cancel();
    const cancel = this.#ports.clock.after(plan.afterMs, () => void this.#fetch(plan));
    this.#state = { kind: "waiting", cancel, plan };
  }

  /** Cuts a wait short, unless the server asked for it. */
  hurry(): void {
    if (this.#state.kind === "waiting" && !this.#state.plan.isHint) {
      this.#state.cancel();
      void this.#fetch(this.#state.plan);
    } else if (this.#state.kind === "fetching") {
      this.#ports.tokens.hurry();
    }
  }

  /** Takes over the connection that was opened, or has ended: the dialer has nothing to do with it any more. */
  release(): void {
    this.#state = { kind: "idle" };
  }

  cancel(): void {
    if (this.#state.kind === "waiting") this.#state.cancel();
    if (this.#state.kind === "opening") this.#state.connection.close();
    this.#state = { kind: "idle" };
  }

  async #fetch({ tokenReason }: DialPlan): Promise<void> {
    const fetching: DialerState = { kind: "fetching" };
    this.#state = fetching;
    const { tokens } = this.#ports;
    try {
      const token = await (tokenReason === undefined ? tokens.current() : tokens.fetch(tokenReason));
      if (this.#state === fetching) this.#open(token);
    } catch (error) {
      if (this.#state === fetching) this.#giveUp(error);
    }
  }

  #open(token: string): void {
    try {
      this.#state = { kind: "opening", connection: this.#ports.open(token) };
    } catch (cause) {
      this.#giveUp(new PmClientError("UNSUPPORTED", "no WebSocket can be opened", { cause }));
    }
  }

  #giveUp(error: unknown): void {
    this.#state = { kind: "idle" };
    this.#ports.onHopeless(
      error instanceof PmClientError ? error : PmClientError.tokenFailed("getToken failed", error),
    );
  }
}

/** Why the token there is will not do, by the code of the close. */
export function tokenReasonOf(code: number): "expired" | "refused" {
  return code === CloseCode.TOKEN_EXPIRED ? "expired" : "refused";
}
