import { create, toBinary } from "@bufbuild/protobuf";
import { StreamPositionSchema } from "@pm/proto";
import { describe, expect, it } from "vitest";
import { anything, bytes, json } from "./payload-type.ts";
import { protobuf } from "./protobuf.ts";

const DATA = { kind: "data", value: Uint8Array.of(1, 2) } as const;

describe("anything", () => {
  it.each([
    [{ a: [1] }, { kind: "json", value: '{"a":[1]}' }, { a: [1] }],
    ["", { kind: "json", value: '""' }, ""],
    [null, { kind: "json", value: "null" }, null],
    [undefined, undefined, undefined],
    [Uint8Array.of(1, 2), DATA, Uint8Array.of(1, 2)],
    [Uint8Array.of(1, 2).buffer, DATA, Uint8Array.of(1, 2)],
    [new DataView(Uint8Array.of(0, 1, 2, 3).buffer, 1, 2), DATA, Uint8Array.of(1, 2)],
    [Uint16Array.of(0x0201), DATA, Uint8Array.of(1, 2)],
  ])("given %j, when it is written and read, then it is the same", (value, payload, read) => {
    expect(anything.encode(value)).toEqual(payload);
    expect(anything.decode(anything.encode(value))).toEqual(read);
  });

  it.each([new Map([[1, 2]]), new Set([1]), new Blob(["x"]), Promise.resolve(1)])(
    "given a %o, when it is written, then it is refused, since nothing of it would be left",
    (value) => {
      expect(() => anything.encode(value)).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT", field: "data" }),
      );
    },
  );

  it("given text that is not JSON, when it is read, then it throws", () => {
    expect(() => anything.decode({ kind: "json", value: "{" })).toThrow(SyntaxError);
  });
});

describe("bytes", () => {
  it("given bytes, when they change after they were published, then what is sent does not", () => {
    const given = Uint8Array.of(1, 2);
    const payloads = [bytes.encode(given), bytes.encode(given.buffer)];
    given.fill(0);
    expect(payloads).toEqual([DATA, DATA]);
  });

  it("given what is no bytes, when it is written, then it is refused", () => {
    expect(() => bytes.encode("text" as never)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });

  it("given no payload or JSON, when it is read, then it is no bytes or an error", () => {
    expect(bytes.decode(undefined)).toEqual(new Uint8Array());
    expect(() => bytes.decode({ kind: "json", value: "1" })).toThrow("it is JSON, not bytes");
  });
});

describe("json", () => {
  const positive = json((value) => {
    if (typeof value === "number" && value > 0) return value;
    throw new RangeError(`${String(value)} is not positive`);
  });

  it("given a validating function, when payloads are read, then only what it takes comes out", () => {
    expect(positive.decode(positive.encode(7))).toBe(7);
    expect(() => positive.decode(positive.encode(-7))).toThrow("-7 is not positive");
    expect(() => positive.decode(undefined)).toThrow("undefined is not positive");
    expect(() => positive.decode(DATA)).toThrow("it is bytes, not JSON");
  });
});

describe("protobuf", () => {
  const position = protobuf(StreamPositionSchema);

  it("given a message or its fields, when they are written and read, then the message is the same", () => {
    const message = create(StreamPositionSchema, { epoch: "e", offset: 7n });
    expect(position.encode({ epoch: "e", offset: 7n })).toEqual({
      kind: "data",
      value: toBinary(StreamPositionSchema, message),
    });
    expect(position.decode(position.encode(message))).toEqual(message);
    expect(position.decode(undefined)).toEqual(create(StreamPositionSchema));
  });

  it("given JSON or other bytes, when they are read, then it throws", () => {
    expect(() => position.decode({ kind: "json", value: "{}" })).toThrow("it is JSON, not pm.v1.StreamPosition");
    expect(() => position.decode({ kind: "data", value: Uint8Array.of(255) })).toThrow(RangeError);
  });
});
