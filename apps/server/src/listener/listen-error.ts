import { CodedError } from "@pm/core";
import { formatListenAddress, type ListenAddress } from "../config/listen-address.ts";

/** Which setting an address comes from. */
export type AddressSetting = "BIND_ADDR" | "OPS_BIND_ADDR";

/** An address cannot be listened on. Code `CANNOT_LISTEN`. */
export class ListenError extends CodedError<"CANNOT_LISTEN"> {
  static of(setting: AddressSetting, address: ListenAddress, cause: NodeJS.ErrnoException): ListenError {
    const why = REASONS[cause.code ?? ""] ?? cause.message;
    return new ListenError("CANNOT_LISTEN", `${setting}: ${formatListenAddress(address)} ${why}`, { cause });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "is in use: stop the process that listens there, or choose another port",
  EADDRNOTAVAIL: "is no address of this machine",
  EACCES: "may not be listened on by this user",
  ENOTFOUND: "is a host name that cannot be resolved",
};
