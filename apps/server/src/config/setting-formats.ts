import { createPublicKey } from "node:crypto";
import { statSync } from "node:fs";
import { isIP } from "node:net";
import { dirname, resolve } from "node:path";
import proxyAddr from "proxy-addr";
import { z } from "zod";
import { type ListenAddress, parseListenAddress } from "./listen-address.ts";
import type { TextFormat } from "./text-format.ts";

const BYTE_UNITS: Readonly<Record<string, number>> = { "": 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };
const BYTES = /^(?<count>\d{1,15}) ?(?<unit>|KiB|MiB|GiB)$/;
const MIN_RSA_BITS = 2048;
const PROXY_NAMES = ["loopback", "linklocal", "uniquelocal"];

/** Anything but nothing. */
export const text: TextFormat<string> = { expected: "a text", schema: z.string() };

/** A whole number within bounds. */
export function wholeNumber(min: number, max: number): TextFormat<number> {
  return {
    expected: `a whole number from ${min} to ${max}`,
    schema: z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number)
      .pipe(z.number().min(min).max(max)),
  };
}

/** Seconds within bounds, with at most three decimals. */
export function seconds(min: number, max: number): TextFormat<number> {
  return {
    expected: `seconds from ${min} to ${max}`,
    schema: z
      .string()
      .regex(/^\d{1,9}(?:\.\d{1,3})?$/)
      .transform(Number)
      .pipe(z.number().min(min).max(max)),
  };
}

/** A number of bytes, also as `64MiB`. */
export function bytes(min: number, max: number): TextFormat<number> {
  return {
    expected: `bytes from ${formatBytes(min)} to ${formatBytes(max)}`,
    schema: z.string().regex(BYTES).transform(countBytes).pipe(z.number().min(min).max(max)),
  };
}

/** One of a few words. */
export function oneOf<const Word extends string>(words: readonly Word[]): TextFormat<Word> {
  const expected = words.join(", ").replace(/, (?=[^,]*$)/, " or ");
  return { expected, schema: z.string().pipe(z.enum(words)) };
}

/** `true` or `1`, `false` or `0`. */
export const flag: TextFormat<boolean> = {
  expected: "true or false",
  schema: z
    .string()
    .pipe(z.enum(["true", "false", "1", "0"]))
    .transform((word) => word === "true" || word === "1"),
};

/** `host:port`. */
export const listenAddress: TextFormat<ListenAddress> = parsed("host:port or [IPv6]:port", parseListenAddress);

/** A folder, made absolute. It may still have to be made, but not where a file is in the way. */
export const folder: TextFormat<string> = parsed("a folder, or a path where one can be made", (given) => {
  const path = resolve(given);
  return canBeFolder(path) ? path : undefined;
});

/** Visible ASCII without spaces, as a bearer credential is sent. */
export const bearerKey: TextFormat<string> = {
  expected: "1 to 512 visible ASCII characters without spaces",
  schema: z.string().regex(/^[\x21-\x7e]{1,512}$/),
};

/** A shared secret, raw. A key in PEM is refused: a public key as a secret lets everybody sign. */
export const sharedSecret: TextFormat<string> = parsed("a secret, not a key in PEM", (given) =>
  given.includes("-----BEGIN ") ? undefined : given,
);

/** A public RSA key in PEM, `\n` for line breaks accepted. */
export const publicKey: TextFormat<string> = {
  expected: `a public RSA key in PEM of ${MIN_RSA_BITS} bits or more`,
  schema: z
    .string()
    .transform((given) => given.replaceAll("\\n", "\n"))
    .transform((pem, context) => {
      const problem = publicKeyProblem(pem);
      if (problem === undefined) return pem;
      context.addIssue({ code: "custom", message: problem });
      return z.NEVER;
    }),
};

/** An http or https URL without user and password. */
export const keySetUrl: TextFormat<string> = parsed("an http or https URL without user and password", (given) => {
  const url = URL.parse(given);
  return url !== null && isWeb(url) && url.username === "" && url.password === "" ? url.href : undefined;
});

/** Origins separated by commas, each as a browser sends it. */
export const origins: TextFormat<readonly string[]> = list("origins like https://app.example.com", (given) => {
  const url = URL.parse(given);
  // A browser sends no `*`, so that one would match nothing.
  return url !== null && isWeb(url) && url.href === `${url.origin}/` && !url.host.includes("*")
    ? url.origin
    : undefined;
});

/** Addresses, networks and the names of proxy-addr, separated by commas. */
export const proxies: TextFormat<readonly string[]> = list(
  "IP addresses, networks like 10.0.0.0/8, loopback, linklocal or uniquelocal",
  (given) => (PROXY_NAMES.includes(given) || isNetwork(given) ? given : undefined),
);

function parsed<T>(expected: string, parse: (given: string) => T | undefined): TextFormat<T> {
  const schema = z.string().transform((given, context) => {
    const value = parse(given);
    if (value !== undefined) return value;
    context.addIssue({ code: "invalid_value", values: [] });
    return z.NEVER;
  });
  return { expected, schema };
}

/** Reads each part of a comma-separated list; blank parts are passed over, and every wrong one is told. */
function list(expected: string, parse: (given: string) => string | undefined): TextFormat<readonly string[]> {
  const schema = z.string().transform((given, context) => {
    const found = new Set<string>();
    for (const part of given.split(",").map((one) => one.trim())) {
      const value = part === "" ? undefined : parse(part);
      if (value !== undefined) found.add(value);
      else if (part !== "") context.addIssue({ code: "custom", message: `has ${JSON.stringify(part)}` });
    }
    return [...found];
  });
  return { expected, schema };
}

function countBytes(given: string): number {
  const { count, unit = "" } = BYTES.exec(given)?.groups ?? {};
  return Number(count) * (BYTE_UNITS[unit] ?? 1);
}

function formatBytes(count: number): string {
  const unit = ["GiB", "MiB", "KiB"].find((name) => count > 0 && count % (BYTE_UNITS[name] ?? 1) === 0) ?? "";
  return `${count / (BYTE_UNITS[unit] ?? 1)}${unit}`;
}

function canBeFolder(path: string): boolean {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    return found === undefined ? canBeFolder(dirname(path)) : found.isDirectory();
  } catch {
    return false;
  }
}

function isWeb(url: URL): boolean {
  return url.protocol === "https:" || url.protocol === "http:";
}

function isNetwork(given: string): boolean {
  if (isIP(given.split("/", 1)[0] ?? "") === 0) return false;
  try {
    proxyAddr.compile(given);
    return true;
  } catch {
    return false;
  }
}

function publicKeyProblem(pem: string): string | undefined {
  if (pem.includes("PRIVATE KEY-----")) return "is a private key";
  try {
    const key = createPublicKey(pem);
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    if (key.asymmetricKeyType !== "rsa") return `is a key of type ${key.asymmetricKeyType}`;
    return bits < MIN_RSA_BITS ? `has ${bits} bits` : undefined;
  } catch {
    return "is something else";
  }
}
