import { describe, expect, it } from "vitest";
import { ListenError } from "./listen-error.ts";

describe("ListenError", () => {
  it.each([
    ["EADDRINUSE", "BIND_ADDR: [::1]:80 is in use: stop the process that listens there, or choose another port"],
    ["EADDRNOTAVAIL", "BIND_ADDR: [::1]:80 is no address of this machine"],
    ["EACCES", "BIND_ADDR: [::1]:80 may not be listened on by this user"],
    ["ENOTFOUND", "BIND_ADDR: [::1]:80 is a host name that cannot be resolved"],
    ["EOTHER", "BIND_ADDR: [::1]:80 something else"],
  ])("given %s, when it is made, then it names the setting, the address and the reason", (code, message) => {
    const cause = Object.assign(new Error("something else"), { code });
    const error = ListenError.of("BIND_ADDR", { host: "::1", port: 80 }, cause);
    expect([error.code, error.message, error.cause]).toEqual(["CANNOT_LISTEN", message, cause]);
  });
});
