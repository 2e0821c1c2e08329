import { describe, expect, it } from "vitest";
import * as proto from "./index.ts";

describe("the public index", () => {
  it("given the package, when it is imported, then it exports exactly its documented values", () => {
    expect(Object.keys(proto).toSorted()).toEqual([
      "BEARER_SUBPROTOCOL_PREFIX",
      "ClientFrameSchema",
      "ClientMessageSchema",
      "CloseCode",
      "CodecError",
      "MAX_FRAME_FIELDS",
      "MAX_FRAME_MESSAGES",
      "MAX_JSON_DEPTH",
      "PUBLIC_ERRORS",
      "PayloadSchema",
      "ProtoBudget",
      "PublicationSchema",
      "RecoveryMiss",
      "SUBPROTOCOLS",
      "ServerFrameSchema",
      "ServerMessageSchema",
      "StreamPositionSchema",
      "assertJsonBudget",
      "decodeClientFrame",
      "decodeServerFrame",
      "encodeClientFrame",
      "encodeServerElement",
      "encodingOf",
      "findBearerToken",
      "toClientError",
    ]);
  });
});
