import { fromBinary } from "@bufbuild/protobuf";
import { type Encoding, encodeServerElement, PublicationSchema, type RecoveryMiss } from "@pm/proto";
import { publicationOf } from "./publication-encoder.ts";
import { beginElement, type Position, positionFieldSize, writePositionField } from "./reply-writer.ts";
import { delimitedSize, varintFieldSize, writeVarint, writeVarintField } from "./wire-writer.ts";

/** A page of a log, with its publications as the log has them. */
export interface HistoryPageBody {
  readonly case: "historyPage";
  readonly value: {
    readonly position: Position;
    readonly more: boolean;
    readonly miss: RecoveryMiss;
    readonly top: Position;
  };
  /** The frames of the entries, as `encodePublication` made them. */
  readonly frames: readonly Buffer[];
}

/**
 * Encodes a page of history. In binary the publications are copied out of their frames, in a tenth of the time that
 * decoding and encoding them takes; a test holds that the page is the same, byte for byte.
 */
export function encodeHistoryPage(replyTo: number, { value, frames }: HistoryPageBody, encoding: Encoding): Uint8Array {
  const publications = frames.map(publicationOf);
  if (encoding === "proto") return encodeBinary(replyTo, value, publications);
  const decoded = publications.map((bytes) => fromBinary(PublicationSchema, bytes));
  return encodeServerElement(
    { replyTo, body: { case: "historyPage", value: { ...value, publications: decoded } } },
    "json",
  );
}

function encodeBinary(replyTo: number, value: HistoryPageBody["value"], publications: readonly Buffer[]): Buffer {
  const { position, more, miss, top } = value;
  let size = positionFieldSize(position) + (more ? 2 : 0) + varintFieldSize(miss) + positionFieldSize(top);
  for (const { length } of publications) size += 1 + delimitedSize(length);
  const { target, at: start } = beginElement(replyTo, 0x3a, size);
  let at = start;
  for (const publication of publications) {
    target[at] = 0x0a;
    at = writeVarint(target, at + 1, publication.length);
    target.set(publication, at);
    at += publication.length;
  }
  at = writePositionField(target, at, 0x12, position);
  at = writeVarintField(target, at, 0x18, more ? 1 : 0);
  at = writeVarintField(target, at, 0x20, miss);
  writePositionField(target, at, 0x2a, top);
  return target;
}
