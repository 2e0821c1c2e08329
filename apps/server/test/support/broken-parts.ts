// Loaded into a server before it starts (node --import). Parts of it throw, for what has `broken` in its name, errors
// that say what nobody outside may know.
import { JwtValidator } from "@pm/auth";
import type { ChannelRef } from "@pm/core";
import { MemoryBroker } from "@pm/ws";

function fail(): never {
  const cause = new Error("cause: SELECT secret FROM /srv/dist/inside.js");
  throw new RangeError("broken in /etc/inside.ts:7?claim=secret\n    at inside (/srv/dist/inside.js:1:1)", { cause });
}

/** Puts in the place of a method one that fails where its first argument is broken. */
function breakMethod<Target extends object>(
  target: Target,
  method: keyof Target,
  isBroken: (given: never) => boolean,
): void {
  const works = target[method] as (...args: unknown[]) => unknown;
  const fails = function (this: Target, ...args: unknown[]): unknown {
    return isBroken(args[0] as never) ? fail() : works.apply(this, args);
  };
  Object.defineProperty(target, method, { value: fails });
}

const isBrokenChannel = ({ name }: ChannelRef): boolean => name.startsWith("broken");

for (const method of ["append", "read", "subscribe"] as const)
  breakMethod(MemoryBroker.prototype, method, isBrokenChannel);
breakMethod(JwtValidator.prototype, "authenticate", (token: string) => token.startsWith("broken"));
breakMethod(process.memoryUsage, "rss", () => true);
