import { create, type DescMessage, type MessageInitShape, toBinary, toJsonString } from "@bufbuild/protobuf";
import { assertJsonBudget, CodecError, ProtoBudget } from "@pm/proto";
import { OpsService } from "@pm/proto/ops";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

const { input: batch } = OpsService.method.publishBatch;
const { input: update } = OpsService.method.updateTenant;
const BATCH = new ProtoBudget(batch);

const text = fc.string({ unit: "grapheme", maxLength: 20 });
const publication = fc.record({
  tenantId: text,
  target: fc.record({ case: fc.constant("channel" as const), value: text }),
  payload: fc.record({ kind: fc.record({ case: fc.constant("json" as const), value: fc.json() }) }),
  event: text,
  idempotencyKey: text,
  traceParent: text,
});

function assertBoth<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): void {
  const message = create(schema, init);
  new ProtoBudget(schema).assertWithin(toBinary(schema, message));
  assertJsonBudget(toJsonString(schema, message));
}

describe("laws of what a body may hold", () => {
  it("given up to 256 publications with every field, when they are counted, then they pass in both encodings", () => {
    fc.assert(
      fc.property(fc.array(publication, { maxLength: 3 }), (some) => {
        const publications = Array.from({ length: 256 }, (_, at) => some[at % (some.length || 1)] ?? {});
        assertBoth(batch, { publications });
        assertBoth(update, { tenantId: "acme", limits: { bytesPerSec: 1n, maxChannels: 1 }, clear: [1, 2] });
      }),
    );
  });

  it("given any bytes, when they are counted, then nothing but a CodecError is thrown", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const garbled = Buffer.from(bytes).toString();
        for (const count of [() => BATCH.assertWithin(bytes), () => assertJsonBudget(garbled)]) {
          try {
            count();
          } catch (error) {
            expect(error).toBeInstanceOf(CodecError);
          }
        }
      }),
    );
  });
});

describe("what a body may hold", () => {
  const many = 100_000;
  it.each([
    ["empty publications", Buffer.alloc(2 * many, Buffer.from([10, 0]))],
    ["unknown fields", Buffer.alloc(2 * many, Buffer.from([120, 0]))],
    ["one of another wire type, behind which the parser reads on elsewhere", Buffer.from([8, 4, 10, 0, 10, 0])],
    ["one that reaches beyond its message", Buffer.from([10, 2, 10, 9])],
  ])("given %s in protobuf, when they are counted, then they are refused", (_what, bytes) => {
    expect(() => BATCH.assertWithin(bytes)).toThrow(CodecError);
  });

  it.each([
    ["empty publications", `{"publications":[${"{},".repeat(many)}{}]}`],
    ["deep nesting", "[".repeat(many)],
  ])("given %s in JSON, when they are counted, then they are refused", (_what, json) => {
    expect(() => assertJsonBudget(json)).toThrow(CodecError);
  });
});
