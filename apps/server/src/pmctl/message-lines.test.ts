import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Publication, PublicationSchema, RecoveryMiss } from "@pm/proto";
import { describe, expect, it } from "vitest";
import { gapJson, gapText, publicationJson, publicationText } from "./message-lines.ts";

const paint = (_style: string, text: string): string => text;
const POSITION = { epoch: "e", offset: 17n, check: 5 };

function publication(init: MessageInitShape<typeof PublicationSchema>): Publication {
  return create(PublicationSchema, { channel: "project:42", offset: 17n, publishedAtMs: 0n, messageId: "m", ...init });
}

const json = (value: string): Publication => publication({ payload: { kind: { case: "json", value } } });
const data = (value: Uint8Array<ArrayBuffer>): Publication =>
  publication({ payload: { kind: { case: "data", value } } });

describe("a publication as text", () => {
  it("given everything when it is written then it is one line", () => {
    const full = { publisher: "alice", event: "moved", payload: { kind: { case: "json" as const, value: '{"x":1}' } } };
    expect(publicationText(publication(full), paint)).toBe('00:00:00.000 project:42 #17 alice [moved] {"x":1}');
    expect(publicationText(publication({}), paint)).toBe("00:00:00.000 project:42 #17 (backend) ");
  });

  it("given bytes when they are written then they are text where they are text, else base64", () => {
    expect(publicationText(data(Buffer.from("žluť")), paint)).toMatch(/ žluť$/);
    expect(publicationText(data(Buffer.from([0xff, 0xfe])), paint)).toMatch(/ base64:\/\/4=$/);
  });

  it("given line breaks and escapes anywhere when it is written then it is one line without them", () => {
    const nasty = "a\nb\u001b[2Jc\u202ed\u009b";
    const line = publicationText(
      publication({
        channel: nasty,
        publisher: nasty,
        event: nasty,
        payload: { kind: { case: "data", value: Buffer.from(nasty) } },
      }),
      paint,
    );
    expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
  });
});

describe("a publication as JSON", () => {
  it("given JSON when it is written then no digit is lost, on one line", () => {
    const line = publicationJson(json('{\n\t"n": 12345678901234567890.10\r\n}'), POSITION);
    expect(line).toContain('"json":{  "n": 12345678901234567890.10  }');
    expect(JSON.parse(line)).toMatchObject({
      type: "publication",
      channel: "project:42",
      offset: 17,
      position: "e:17:5",
      message_id: "m",
    });
  });

  it("given bytes when they are written then they are base64", () => {
    expect(JSON.parse(publicationJson(data(Buffer.from([1, 2, 255])), POSITION))).toMatchObject({ data: "AQL/" });
    expect(JSON.parse(publicationJson(publication({}), POSITION))).toMatchObject({ data: "" });
  });

  it("given what only says that it is JSON when it is written then it is a string", () => {
    expect(JSON.parse(publicationJson(json("{nope\n"), POSITION))).toMatchObject({ json: "{nope\n" });
  });

  it("given unsafe characters in strings when they are written then they are escaped, and the same when they are read", () => {
    const text = "c1\u009b del\u007f bidi\u202e line\u2028 nul\\u0000";
    const line = publicationJson(json(JSON.stringify(text)), POSITION);
    expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}\p{Zl}]/u);
    expect(JSON.parse(line)).toMatchObject({ json: text });
  });
});

describe("a gap", () => {
  it("given a count or none when it is written then it says so", () => {
    const gap = { channel: "c", missedCount: 3n, reason: RecoveryMiss.RETENTION };
    expect(gapText(gap, paint)).toBe("-- c: missed 3 publications (RETENTION)");
    expect(gapText({ ...gap, missedCount: 1n }, paint)).toBe("-- c: missed 1 publication (RETENTION)");
    expect(gapText({ ...gap, missedCount: 0n }, paint)).toBe("-- c: may have missed publications (RETENTION)");
    expect(gapText({ ...gap, channel: "c\n\u001b[2J" }, paint)).toBe("-- c␊␛[2J: missed 3 publications (RETENTION)");
    expect(JSON.parse(gapJson(gap))).toEqual({ type: "missed", channel: "c", missed_count: 3, reason: "RETENTION" });
  });
});
