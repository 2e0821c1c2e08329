import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { channelKey, type ChannelRef, isChannelName, parseChannelName, USER_CHANNEL } from "../src/channel.ts";
import { NameError } from "../src/name-error.ts";
import { isTenantId, parseTenantId, type TenantId } from "../src/tenant-id.ts";
import { anyString, nearly } from "./any-string.ts";

const LETTERS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const TENANT_CHARACTERS = `${LETTERS_AND_DIGITS}._-`;
const CHANNEL_CHARACTERS = `${LETTERS_AND_DIGITS}_-=@,.;:/+`;

/** The grammars once more, by another way than a regular expression. */
function isInTenantGrammar(text: string): boolean {
  const first = text[0] ?? "";
  return (
    text.length >= 1 && text.length <= 128 && LETTERS_AND_DIGITS.includes(first) && consistsOf(text, TENANT_CHARACTERS)
  );
}

function isInChannelGrammar(text: string): boolean {
  return text.length >= 1 && text.length <= 200 && consistsOf(text, CHANNEL_CHARACTERS);
}

function consistsOf(text: string, alphabet: string): boolean {
  return text.split("").every((unit) => alphabet.includes(unit));
}

const notAString = fc.anything().filter((value) => typeof value !== "string");

describe.each([
  {
    name: "parseTenantId",
    parse: parseTenantId,
    is: isTenantId,
    inGrammar: isInTenantGrammar,
    characters: TENANT_CHARACTERS,
    longest: 128,
  },
  {
    name: "parseChannelName",
    parse: parseChannelName,
    is: isChannelName,
    inGrammar: isInChannelGrammar,
    characters: CHANNEL_CHARACTERS,
    longest: 200,
  },
])("$name", ({ parse, is, inGrammar, characters, longest }) => {
  const anyText = fc.oneof(anyString(longest + 2), nearly(characters, longest + 2));

  it("given any string, when it is parsed, then it comes back unchanged or is outside the grammar and refused", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(is(text)).toBe(inGrammar(text));
        if (inGrammar(text)) expect(parse(text)).toBe(text);
        else expect(() => parse(text)).toThrow(NameError);
      }),
    );
  });

  it("given a string that passes, when it is put through every normal form, then it stays as it is", () => {
    fc.assert(
      fc.property(nearly(characters, longest), (text) => {
        fc.pre(is(text));
        for (const form of ["NFC", "NFD", "NFKC", "NFKD"]) expect(text.normalize(form)).toBe(text);
        expect(text.isWellFormed()).toBe(true);
      }),
    );
  });

  it("given anything but a string, when it is parsed, then it is refused", () => {
    fc.assert(
      fc.property(notAString, (value) => {
        expect(is(value)).toBe(false);
        expect(() => parse(value)).toThrow(NameError);
      }),
    );
  });
});

describe("channelKey", () => {
  const tenant = nearly(TENANT_CHARACTERS, 6).filter(isTenantId);
  const name = nearly(CHANNEL_CHARACTERS, 6).filter(isChannelName);
  const plain: fc.Arbitrary<ChannelRef> = fc.record({ tenant, name });
  const ofUser: fc.Arbitrary<ChannelRef> = fc.record({
    tenant,
    name: fc.oneof(fc.constant(USER_CHANNEL), name),
    user: fc.oneof(anyString(6), nearly(`${CHANNEL_CHARACTERS}\0`, 6)),
  });
  const channel = fc.oneof(plain, ofUser);

  it("given two channels, when their keys are equal, then they are the same channel", () => {
    fc.assert(
      fc.property(channel, channel, (a, b) => {
        const same = a.tenant === b.tenant && a.name === b.name && a.user === b.user;
        expect(channelKey(a) === channelKey(b)).toBe(same);
      }),
    );
  });

  it("given any channel, when its key is taken apart again, then every part is found", () => {
    fc.assert(
      fc.property(channel, (ref) => {
        const key = channelKey(ref);
        const slash = key.indexOf("/");
        const nul = key.indexOf("\0");
        expect(key.slice(0, slash)).toBe(ref.tenant satisfies TenantId);
        expect(key.slice(slash + 1, nul < 0 ? undefined : nul)).toBe(ref.name);
        expect(nul < 0 ? undefined : key.slice(nul + 1)).toBe(ref.user);
      }),
    );
  });
});
