import { CodedError, type CodedErrorDetails } from "@pm/core";

/** Codes of the codec. */
export type CodecErrorCode = "DECODE_ERROR" | "ENCODE_ERROR";

/** Bytes are not a frame or message of pm.v1, or go over a structural budget; or a message cannot be encoded. */
export class CodecError extends CodedError<CodecErrorCode> {
  static undecodable(reason: string, details?: CodedErrorDetails): CodecError {
    return new CodecError("DECODE_ERROR", `not decodable: ${reason}`, details);
  }

  static overBudget(what: string, limit: number): CodecError {
    return new CodecError("DECODE_ERROR", `more than ${limit} ${what}`);
  }

  static unencodable(cause: unknown): CodecError {
    return new CodecError("ENCODE_ERROR", "message cannot be encoded", { cause });
  }
}
