import { type DescField, type DescMessage, fromJson, ScalarType, toJson } from "@bufbuild/protobuf";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  ClientFrameSchema,
  CloseCode,
  decodeClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  encodeServerElement,
  MAX_FRAME_FIELDS,
  MAX_FRAME_MESSAGES,
  MAX_JSON_DEPTH,
  PUBLIC_ERRORS,
  PublicationSchema,
  RecoveryMiss,
  ServerFrameSchema,
  SUBPROTOCOLS,
} from "../src/index.ts";
import { blocks, section, table } from "./markdown.ts";

const PROTOCOL = readFileSync(join(import.meta.dirname, "../../../PROTOCOL.md"), "utf8");
const FILES = [ClientFrameSchema.file, PublicationSchema.file, ServerFrameSchema.file];
const FRAMES = [ClientFrameSchema.name, ServerFrameSchema.name];
const MESSAGES = FILES.flatMap((file) => file.messages).filter(({ name }) => !FRAMES.includes(name));

describe("the messages of PROTOCOL.md", () => {
  it.each(MESSAGES.map((message) => [message.name, message] as const))(
    "given %s, when its table is read, then it has every field with its number and type",
    (name, message) => {
      const documented = table(section(PROTOCOL, `### ${name}`)).map((row) => [row["No."], row["Field"], row["Type"]]);
      expect(documented).toEqual(message.fields.map((field) => [String(field.number), field.name, typeOf(field)]));
    },
  );

  it("given the headings of messages, when they are counted, then none is of a message that there is not", () => {
    const headings = [...section(PROTOCOL, "## Messages").matchAll(/^### (?<name>\w+)$/gm)].map((found) => found[1]);
    const enums = FILES.flatMap((file) => file.enums).map(({ name }) => name);
    expect(headings.toSorted()).toEqual([...MESSAGES.map(({ name }) => name), ...enums].toSorted());
  });

  it("given RecoveryMiss, when its table is read, then it has every value", () => {
    const documented = table(section(PROTOCOL, "### RecoveryMiss")).map((row) => [Number(row["No."]), row["Value"]]);
    const names = FILES.flatMap((file) => file.enums).flatMap((one) => one.values);
    expect(documented).toEqual(names.map((value) => [value.number, value.name]));
  });

  it("given the two frames, when their definitions are read, then they are those of the schema", () => {
    for (const schema of [ClientFrameSchema, ServerFrameSchema]) {
      const { message, number } = schema.field.messages;
      expect(PROTOCOL).toContain(`message ${schema.name} { repeated ${message?.name} messages = ${number}; }`);
    }
  });
});

describe("the tables of PROTOCOL.md", () => {
  it("given the close codes, when the table is read, then it has exactly those of CloseCode, each with what to do", () => {
    const rows = table(section(PROTOCOL, "## Close codes"));
    expect(rows.map((row) => Number(row["Code"]))).toEqual(Object.values(CloseCode));
    for (const row of rows) expect([row["Meaning"], row["What a client does"]]).not.toContain("");
  });

  it("given the error codes, when the table is read, then it is PUBLIC_ERRORS", () => {
    const documented = table(section(PROTOCOL, "## Error codes")).map((row) => [
      row["Code"],
      { message: row["Message"], retryable: row["retryable"] === "true" },
    ]);
    expect(documented).toEqual(Object.entries(PUBLIC_ERRORS));
  });

  it("given the refusals of a handshake, when their codes are read, then all are error codes", () => {
    const codes = table(section(PROTOCOL, "### Refusals")).flatMap((row) => (row["code"] ?? "").split(", "));
    expect(codes.length).toBeGreaterThan(9);
    for (const code of codes) expect(Object.keys(PUBLIC_ERRORS)).toContain(code);
  });

  it("given the limits, when the structural ones are read, then they are those of the codec", () => {
    const limits = Object.fromEntries(table(section(PROTOCOL, "## Limits")).map((row) => [row["What"], row["Value"]]));
    expect(limits).toMatchObject({
      "messages in a client frame": String(MAX_FRAME_MESSAGES),
      "fields in a client frame, over all levels, in binary": String(MAX_FRAME_FIELDS),
      "levels of nesting in JSON": String(MAX_JSON_DEPTH),
      "commas and colons in JSON, outside strings": String(2 * MAX_FRAME_FIELDS),
    });
  });

  it("given the subprotocols, when the table is read, then it names them", () => {
    const documented = table(section(PROTOCOL, "### The subprotocol")).map((row) => row["Subprotocol"]);
    expect(documented).toEqual(Object.values(SUBPROTOCOLS));
  });

  it("given every code in the text, when it is looked up, then it is one that exists", () => {
    const misses = Object.keys(RecoveryMiss).flatMap((name) => [name, `RECOVERY_MISS_${name}`]);
    const known = new Set([...Object.keys(PUBLIC_ERRORS), ...misses]);
    const used = [...PROTOCOL.matchAll(/`"?(?<code>[A-Z]{2,}(?:_[A-Z]+)+)"?`/g)].map((found) => found[1] ?? "");
    expect(used.filter((code) => !known.has(code))).toEqual([]);
  });

  it("given every link inside the document, when it is followed, then there is a heading", () => {
    const anchors = [...PROTOCOL.matchAll(/^#+ (?<title>.+)$/gm)].map((found) => anchorOf(found[1] ?? ""));
    const links = [...PROTOCOL.matchAll(/\]\(#(?<anchor>[^)]+)\)/g)].map((found) => found[1] ?? "");
    expect(links.filter((link) => !anchors.includes(link))).toEqual([]);
  });
});

describe("the examples of PROTOCOL.md", () => {
  it("given the bytes of a Subscribe, when they are decoded, then they are its JSON, and encoding gives both back", () => {
    const { json, bytes } = exampleOf("### Bytes of a Subscribe");
    const messages = decodeClientFrame(json, "json");
    expect(decodeClientFrame(bytes, "proto")).toEqual(messages);
    expect(encodeClientFrame(messages, "json")).toBe(json);
    expect(encodeClientFrame(messages, "proto")).toEqual(bytes);
  });

  it("given the bytes of a Publication, when they are decoded, then they are its JSON, and encoding gives both back", () => {
    const { json, bytes } = exampleOf("### Bytes of a Publication");
    const [publication] = decodeServerFrame(json, "json");
    if (publication === undefined) throw new Error("the example has no message");
    expect(decodeServerFrame(bytes, "proto")).toEqual([publication]);
    expect(`{"messages":[${Buffer.from(encodeServerElement(publication, "json")).toString("utf8")}]}`).toBe(json);
    expect(encodeServerElement(publication, "proto")).toEqual(bytes);
  });

  it("given every line of the session, when it is read strictly, then it is canonical and known", () => {
    const lines = sessions().flat();
    expect(lines.length).toBeGreaterThan(6);
    for (const { schema, json } of lines) expect(toJson(schema, fromJson(schema, json))).toEqual(json);
  });

  it("given every connection of the session, when replies are matched, then each command has one of its own kind", () => {
    for (const lines of sessions()) {
      const asked = new Map<number, string>();
      for (const { schema, text } of lines) {
        if (schema === ClientFrameSchema)
          for (const { id, body } of decodeClientFrame(text, "json")) asked.set(id, body.case ?? "");
        else for (const { replyTo, body } of decodeServerFrame(text, "json")) expectReply(asked, replyTo, body);
      }
      expect([...asked.values()]).toEqual([]);
    }
  });
});

function expectReply(
  asked: Map<number, string>,
  replyTo: number,
  body: { case: string | undefined; value?: unknown },
): void {
  if (body.case === "error") {
    const { code, message, retryable } = body.value as { code: string; message: string; retryable: boolean };
    expect(Object.entries(PUBLIC_ERRORS)).toContainEqual([code, { message, retryable }]);
  }
  if (replyTo === 0) return;
  const replies: Readonly<Record<string, string>> = { subscribe: "subscribed", publish: "published", hello: "pong" };
  expect([replies[asked.get(replyTo) ?? ""], "error"]).toContain(body.case);
  asked.delete(replyTo);
}

interface SessionLine {
  readonly schema: DescMessage;
  readonly text: string;
  readonly json: ReturnType<typeof toJson>;
}

function sessions(): SessionLine[][] {
  return blocks(section(PROTOCOL, "## A session"), "session").map((block) =>
    block
      .trimEnd()
      .split("\n")
      .map((line) => ({
        schema: line.startsWith("> ") ? ClientFrameSchema : ServerFrameSchema,
        text: line.slice(2),
        json: JSON.parse(line.slice(2)),
      })),
  );
}

function exampleOf(heading: string): { json: string; bytes: Uint8Array } {
  const text = section(PROTOCOL, heading);
  const [json = ""] = blocks(text, "json");
  const [dump = ""] = blocks(text, "hexdump");
  const hex = dump.split("\n").map((line) => line.trim().split(/ {2,}/)[0] ?? "");
  return {
    json: JSON.stringify(JSON.parse(json)),
    bytes: Uint8Array.from(Buffer.from(hex.join("").replaceAll(" ", ""), "hex")),
  };
}

function typeOf(field: DescField): string {
  const single = field.message?.name ?? field.enum?.name ?? ScalarType[field.scalar ?? ScalarType.BOOL].toLowerCase();
  const type = field.fieldKind === "list" ? `repeated ${single}` : single;
  return field.oneof === undefined ? type : `${type}, one of ${field.oneof.name}`;
}

/** As GitHub makes them. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9 _-]/g, "")
    .replaceAll(" ", "-");
}
