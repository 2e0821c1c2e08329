import { Code, ConnectError } from "@connectrpc/connect";
import { CodedError } from "@pm/core";
import { type ClientError, CodecError, toClientError } from "@pm/proto";
import { ErrorMessageSchema } from "@pm/proto/ops";

/** A failure as a caller of the operations API sees it: nothing in it comes from inside. */
export interface OpsFailure extends Omit<ClientError, "code"> {
  readonly code: ClientError["code"] | "TENANT_EXISTS";
}

/** An input of the operations API is not what it has to be. Code `INVALID_MESSAGE`; `field` says where. */
export class OpsInputError extends CodedError<"INVALID_MESSAGE"> {
  static of(field: string, problem: string): OpsInputError {
    return new OpsInputError("INVALID_MESSAGE", `${field} ${problem}`, { field });
  }
}

interface Outcome {
  readonly connect: Code;
  readonly status: number;
}

/** How the codes are told; every other one is a failure of ours. */
const OUTCOMES: Readonly<Partial<Record<OpsFailure["code"], Outcome>>> = {
  INVALID_MESSAGE: { connect: Code.InvalidArgument, status: 400 },
  TENANT_UNKNOWN: { connect: Code.NotFound, status: 404 },
  TENANT_EXISTS: { connect: Code.AlreadyExists, status: 409 },
  TENANT_SUSPENDED: { connect: Code.FailedPrecondition, status: 409 },
  RATE_LIMIT_EXCEEDED: { connect: Code.ResourceExhausted, status: 429 },
  UNAVAILABLE: { connect: Code.Unavailable, status: 503 },
};
const INTERNAL: Outcome = { connect: Code.Internal, status: 500 };
/** Of the databases: not possible now, and may be later. */
const PASSING_DB_CODES = new Set(["DB_BUSY", "DB_CLOSED", "DB_LIMIT"]);

/** Any error as coded: what is not, is a failure of ours. */
export function codedErrorOf(error: unknown): CodedError {
  if (error instanceof CodecError) return OpsInputError.of("body", `cannot be taken: ${error.message}`);
  if (!(error instanceof CodedError))
    return new CodedError("INTERNAL_ERROR", "the operations API failed", { cause: error });
  if (!PASSING_DB_CODES.has(error.code)) return error;
  const { retryAfterMs } = error;
  return new CodedError("UNAVAILABLE", error.message, { cause: error, retryAfterMs });
}

/** What a caller is told. About its own input it is told all, since that comes from nowhere else. */
export function opsFailureOf(error: CodedError, errorId: string): OpsFailure {
  const told = toClientError(error, errorId);
  if (error.code === "TENANT_EXISTS") {
    return { ...told, code: "TENANT_EXISTS", message: "The tenant exists already.", retryable: false };
  }
  return told.code === "INVALID_MESSAGE" ? { ...told, message: error.message } : told;
}

/** The HTTP status of a failure. */
export function statusOf({ code }: OpsFailure): number {
  return (OUTCOMES[code] ?? INTERNAL).status;
}

/** A failure in the form of Connect and gRPC, with a pm.v1.Error in its details. */
export function connectErrorOf(failure: OpsFailure): ConnectError {
  const { connect } = OUTCOMES[failure.code] ?? INTERNAL;
  const details = [{ desc: ErrorMessageSchema, value: { ...failure } }];
  return new ConnectError(failure.message, connect, retryAfter(failure), details);
}

function retryAfter({ retryAfterMs }: OpsFailure): Record<string, string> {
  return retryAfterMs > 0 ? { "retry-after": String(Math.ceil(retryAfterMs / 1000)) } : {};
}
