import { describe, expect, it } from "vitest";
import { CodecError } from "./codec-error.ts";
import { ClientFrameSchema } from "./gen/pm/v1/client_pb.ts";
import { UpdateTenantRequestSchema } from "./gen/pm/v1/ops_pb.ts";
import { ProtoBudget } from "./proto-budget.ts";
import { MAX_FRAME_FIELDS, MAX_FRAME_MESSAGES } from "./structure-budget.ts";

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
const repeated = (hex: string, times: number): Uint8Array => bytes(hex.repeat(times));

const budget = new ProtoBudget(ClientFrameSchema, ClientFrameSchema.field.messages);

describe("ProtoBudget", () => {
  it("given a frame with the most messages, when it is walked, then it passes, and one more does not", () => {
    expect(() => budget.assertWithin(repeated("0a00", MAX_FRAME_MESSAGES))).not.toThrow();
    expect(() => budget.assertWithin(repeated("0a00", MAX_FRAME_MESSAGES + 1))).toThrow(/more than 256 messages/);
  });

  it("given a frame with the most fields, when it is walked, then it passes, and one more does not", () => {
    expect(() => budget.assertWithin(repeated("1000", MAX_FRAME_FIELDS))).not.toThrow();
    expect(() => budget.assertWithin(repeated("1000", MAX_FRAME_FIELDS + 1))).toThrow(/more than 4096 fields/);
  });

  it("given fields inside bodies inside messages, when they are walked, then all levels count together", () => {
    const since = "5a00".repeat(40);
    const subscribe = `12 50 ${since}`.repeat(60);
    const message = Buffer.from(subscribe.replaceAll(" ", ""), "hex");
    const body = Buffer.concat([Buffer.from([0x12]), varint(message.length), message]);
    const frame = Buffer.concat([Buffer.from([0x0a]), varint(body.length), body]);
    expect(() => budget.assertWithin(frame)).not.toThrow();
    expect(() => budget.assertWithin(Buffer.concat([frame, frame]))).toThrow(/more than 4096 fields/);
  });

  it.each([
    ["unknown fields of every wire type", "1001 1a020102 2501020304 290102030405060708"],
    ["an unknown field with the greatest number", "faffffff0f 00"],
    ["a known field that is empty", "0a00"],
    ["a number in more bytes than it needs", "0a 07 08 81 80 80 80 80 00"],
    ["a length in more bytes than it needs", "0a 82 80 00 3a 00"],
  ])("given %s, when it is walked, then it passes", (_, hex) => {
    expect(() => budget.assertWithin(bytes(hex))).not.toThrow();
  });

  it.each([
    ["a tag alone", "0a", /ends inside a number/],
    ["a length beyond the frame", "0a05 0801", /reaches beyond/],
    ["a length of 4 GiB", "0a ffffffff0f", /reaches beyond/],
    ["a body beyond its message, within the frame", "0a 02 12 05 0a00 0a00 0a00", /reaches beyond/],
    ["a number cut by the end of its message", "0a 02 08 ff 0a 00", /ends inside a number/],
    ["fixed bytes beyond the end", "25 010203", /reaches beyond/],
    ["a number of 11 bytes", "10 80808080808080808080 00", /more than 10 bytes/],
    ["a group", "13 14", /wire type 3/],
    ["the end of a group", "14", /wire type 4/],
    ["wire type 6", "16", /wire type 6/],
    ["wire type 7", "17", /wire type 7/],
    ["a message written as a number", "08 00", /field 1 has wire type 0, not 2/],
    ["a message written as fixed bytes", "0d 02080110", /field 1 has wire type 5, not 2/],
    ["an id written as bytes", "0a 03 0a 01 00", /field 1 has wire type 2, not 0/],
    ["a check written as a number", "0a 06 12 04 12 02 18 00", /field 3 has wire type 0, not 5/],
  ])("given %s, when it is walked, then it is refused", (_, hex, reason) => {
    expect(() => budget.assertWithin(bytes(hex))).toThrow(CodecError);
    expect(() => budget.assertWithin(bytes(hex))).toThrow(reason);
  });

  it("given numbers of a repeated field, when they come one by one or in one piece, then they pass", () => {
    const ofUpdate = new ProtoBudget(UpdateTenantRequestSchema);
    expect(() => ofUpdate.assertWithin(bytes("20 01 20 02 22 02 01 02"))).not.toThrow();
    expect(() => ofUpdate.assertWithin(bytes("25 01020304"))).toThrow(/field 4 has wire type 5, not 0/);
  });

  it("given a message without a field of messages, when it is walked, then only its fields count", () => {
    const fields = new ProtoBudget(ClientFrameSchema);
    expect(() => fields.assertWithin(repeated("0a00", MAX_FRAME_FIELDS))).not.toThrow();
    expect(() => fields.assertWithin(repeated("0a00", MAX_FRAME_FIELDS + 1))).toThrow(/more than 4096 fields/);
  });
});

function varint(value: number): Buffer {
  return value < 0x80
    ? Buffer.from([value])
    : Buffer.concat([Buffer.from([(value & 0x7f) | 0x80]), varint(value >>> 7)]);
}
