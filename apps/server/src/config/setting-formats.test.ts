import { generateKeyPairSync } from "node:crypto";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import * as formats from "./setting-formats.ts";
import type { TextFormat } from "./text-format.ts";

const SPKI = { type: "spki", format: "pem" } as const;
const PKCS8 = { type: "pkcs8", format: "pem" } as const;

function read<T>(format: TextFormat<T>, text: string): T | undefined {
  return format.schema.safeParse(text).data;
}

interface PemPair {
  readonly publicKey: string;
  readonly privateKey: string;
}

function rsa(modulusLength = 2048): PemPair {
  return generateKeyPairSync("rsa", { modulusLength, publicKeyEncoding: SPKI, privateKeyEncoding: PKCS8 });
}

describe("numbers", () => {
  it.each([
    ["0", 0],
    ["007", 7],
    ["10", 10],
    ["11", undefined],
    ["-1", undefined],
    ["1.5", undefined],
    ["1e1", undefined],
    ["0x1", undefined],
    ["ten", undefined],
    ["9".repeat(400), undefined],
  ])("given %s where 0 to 10 is expected then it is %s", (text, value) => {
    expect(read(formats.wholeNumber(0, 10), text)).toBe(value);
  });

  it.each([
    ["1", 1],
    ["0.25", 0.25],
    ["0.0001", undefined],
    [".5", undefined],
    ["3601", undefined],
    ["Infinity", undefined],
  ])("given %s where seconds are expected then it is %s", (text, value) => {
    expect(read(formats.seconds(0, 3600), text)).toBe(value);
  });

  it.each([
    ["1024", 1024],
    ["64MiB", 67_108_864],
    ["64 MiB", 67_108_864],
    ["1GiB", 1_073_741_824],
    ["2GiB", undefined],
    ["64MB", undefined],
    ["64mib", undefined],
    ["1.5KiB", undefined],
  ])("given %s where bytes are expected then it is %s", (text, value) => {
    expect(read(formats.bytes(0, 1024 ** 3), text)).toBe(value);
  });
});

describe("expectations", () => {
  it("given bounds in bytes when they are told then each is in the largest unit that has no fraction", () => {
    expect(formats.bytes(0, 1024 ** 3).expected).toBe("bytes from 0 to 1GiB");
    expect(formats.bytes(1024, 1025).expected).toBe("bytes from 1KiB to 1025");
  });
});

describe("words", () => {
  it("given a word of a list when it is read then it is that word, in that case", () => {
    const level = formats.oneOf(["error", "warn", "info"]);
    expect(level.expected).toBe("error, warn or info");
    expect(read(level, "warn")).toBe("warn");
    expect(read(level, "WARN")).toBeUndefined();
  });

  it.each([
    ["true", true],
    ["1", true],
    ["false", false],
    ["0", false],
    ["yes", undefined],
  ])("given the flag %s then it is %s", (text, value) => {
    expect(read(formats.flag, text)).toBe(value);
  });
});

describe("lists", () => {
  it("given origins when they are read then they are as a browser sends them, once each", () => {
    expect(
      read(formats.origins, "https://App.Example.com:443/, http://localhost:5173,,https://app.example.com"),
    ).toEqual(["https://app.example.com", "http://localhost:5173"]);
  });

  it.each([
    "*",
    "null",
    "app.example.com",
    "https://a.example/path",
    "https://a.example?x",
    "ftp://a.example",
    "https://u@a.example",
    "https://*.example",
  ])("given the origin %s when it is read then it is refused and named", (text) => {
    const issues = formats.origins.schema.safeParse(`https://good.example, ${text}`).error?.issues;
    expect(issues?.map(({ message }) => message)).toEqual([`has ${JSON.stringify(text)}`]);
  });

  it("given proxies when they are read then addresses, networks and names are taken", () => {
    const given = ["loopback", "10.0.0.0/8", "192.168.1.1", "fd00::/8", "::1", "10.0.0.0/255.0.0.0"];
    expect(read(formats.proxies, given.join(","))).toEqual(given);
  });

  it.each(["10.0.0.0/33", "0.0.0.0/0", "2130706433", "0x7f.1", "everyone", "proxy.example", "10.0.0.1/8/8"])(
    "given the proxy %s when it is read then it is refused",
    (text) => {
      expect(read(formats.proxies, text)).toBeUndefined();
    },
  );
});

describe("keys", () => {
  it("given a public key with \\n for line breaks when it is read then it has line breaks", () => {
    const { publicKey } = rsa();
    expect(read(formats.publicKey, publicKey.replaceAll("\n", "\\n"))).toBe(publicKey);
  });

  it.each([
    ["a private key", () => rsa().privateKey, "is a private key"],
    ["a short key", () => rsa(1024).publicKey, "has 1024 bits"],
    [
      "a key of another type",
      () => generateKeyPairSync("ed25519", { publicKeyEncoding: SPKI, privateKeyEncoding: PKCS8 }).publicKey,
      "is a key of type ed25519",
    ],
    ["anything else", () => "-----BEGIN PUBLIC KEY-----", "is something else"],
  ])("given %s when it is read as a public key then it is refused", (_what, key, message) => {
    expect(formats.publicKey.schema.safeParse(key()).error?.issues[0]).toMatchObject({ code: "custom", message });
  });

  it("given a key in PEM when it is read as a shared secret then it is refused", () => {
    expect(read(formats.sharedSecret, rsa().publicKey)).toBeUndefined();
    expect(read(formats.sharedSecret, "two\nlines ")).toBe("two\nlines ");
  });

  it.each(["file:///etc/passwd", "https://u:p@idp.example/keys", "https://:p@idp.example/keys", "idp.example/keys"])(
    "given the key set at %s when it is read then it is refused",
    (url) => {
      expect(read(formats.keySetUrl, url)).toBeUndefined();
    },
  );

  it("given a bearer key when it is read then spaces and other characters are refused", () => {
    expect(read(formats.bearerKey, "s3cret!")).toBe("s3cret!");
    expect(read(formats.bearerKey, "k".repeat(512))).toBe("k".repeat(512));
    expect(read(formats.bearerKey, "k".repeat(513))).toBeUndefined();
    expect(read(formats.bearerKey, "two words")).toBeUndefined();
    expect(read(formats.bearerKey, "clé")).toBeUndefined();
  });
});

describe("folders", () => {
  it("given a relative path when it is read then it is absolute", () => {
    expect(read(formats.folder, "./data")).toBe(resolve("data"));
  });

  it("given a path to nothing when it is read then it is taken: the folder is made later", () => {
    const path = join(tmpdir(), "nothing", "is", "here");
    expect(read(formats.folder, path)).toBe(path);
  });

  it.each([import.meta.filename, join(import.meta.filename, "data", "deep")])(
    "given %s, a file or a path below one, when it is read then it is refused",
    (path) => {
      expect(read(formats.folder, path)).toBeUndefined();
    },
  );
});
