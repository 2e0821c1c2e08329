import type { PmClientError } from "./pm-client-error.ts";

/** Where a client is. */
export type ClientState =
  /** Not connected, and not trying to. */
  | { readonly kind: "idle" }
  | { readonly kind: "connecting" }
  | {
      readonly kind: "connected";
      readonly connectionId: string;
      readonly nodeId: string;
      readonly tenantId: string;
      readonly userId: string;
    }
  /** Connects again after `afterMs`. `closeCode` says how the last connection ended. */
  | { readonly kind: "waiting"; readonly afterMs: number; readonly closeCode: number; readonly reason: string }
  /** Ended for good, by the server or by `getToken`. `connect` begins again. */
  | { readonly kind: "stopped"; readonly error: PmClientError };
