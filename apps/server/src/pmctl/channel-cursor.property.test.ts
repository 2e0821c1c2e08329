import { create } from "@bufbuild/protobuf";
import { PublicationSchema, ServerMessageSchema, type Subscribed } from "@pm/proto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChannelCursor } from "./channel-cursor.ts";

function subscribedAt(offset: bigint): Subscribed {
  const position = { epoch: "e", offset, check: Number(offset) + 1 };
  const value = { channel: "c", position, recovered: true };
  return create(ServerMessageSchema, { body: { case: "subscribed", value } }).body.value as Subscribed;
}

describe("laws of a cursor", () => {
  it("given one log, sent in any order, with holes, repeats and new connections, then every offset is delivered once and in order", () => {
    const sent = fc.array(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant("reconnect" as const)), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(sent, (steps) => {
        const cursor = new ChannelCursor("c");
        let nextId = 1;
        const subscribe = (): void => {
          const { since } = cursor.request(nextId++);
          // A server that still has everything goes on where it is asked to.
          cursor.subscribed(subscribedAt(since?.offset ?? 0n));
        };
        const delivered: number[] = [];
        subscribe();
        for (const step of steps) {
          if (step === "reconnect") {
            cursor.disconnected();
            subscribe();
            continue;
          }
          const verdict = cursor.publication(
            create(PublicationSchema, { channel: "c", offset: BigInt(step), check: step + 1 }),
          );
          if (verdict === "deliver") delivered.push(step);
          if (verdict === "resubscribe") subscribe();
        }
        expect(delivered).toEqual(delivered.map((_, index) => index + 1));
      }),
    );
  });
});
