import { Code } from "@connectrpc/connect";
import { NameError, parseTenantId } from "@pm/core";
import { DbError, TenantError } from "@pm/db";
import { ErrorMessageSchema } from "@pm/proto/ops";
import { CodecError } from "@pm/proto";
import { WsError } from "@pm/ws";
import { describe, expect, it } from "vitest";
import { codedErrorOf, connectErrorOf, opsFailureOf, OpsInputError, statusOf } from "./ops-error.ts";

const acme = parseTenantId("acme");
const inside = new Error("SQLITE_IOERR /var/lib/pm/directory.db");

describe("failures of the operations API", () => {
  it.each([
    ["an unknown tenant", TenantError.unknown(acme), "TENANT_UNKNOWN", Code.NotFound, 404],
    ["a tenant that exists", TenantError.exists(acme), "TENANT_EXISTS", Code.AlreadyExists, 409],
    ["a suspended tenant", TenantError.suspended(acme), "TENANT_SUSPENDED", Code.FailedPrecondition, 409],
    ["a wrong input", OpsInputError.of("cursor", "is no cursor"), "INVALID_MESSAGE", Code.InvalidArgument, 400],
    ["a body over its budget", CodecError.overBudget("fields", 4096), "INVALID_MESSAGE", Code.InvalidArgument, 400],
    ["a wrong name", NameError.outsideGrammar("channel", " ", "x"), "INVALID_MESSAGE", Code.InvalidArgument, 400],
    ["too many keys", WsError.keyBudget(acme, 9, 8), "RATE_LIMIT_EXCEEDED", Code.ResourceExhausted, 429],
    ["a broker that is closed", WsError.unavailable("closed"), "UNAVAILABLE", Code.Unavailable, 503],
    ["a locked database", DbError.fault("DB_BUSY", "the directory", inside), "UNAVAILABLE", Code.Unavailable, 503],
    ["too many databases", DbError.queueFull("acme", 9), "UNAVAILABLE", Code.Unavailable, 503],
    ["a closed database", DbError.closed("the directory"), "UNAVAILABLE", Code.Unavailable, 503],
    ["a damaged database", DbError.fault("DB_CORRUPT", "the directory", inside), "INTERNAL_ERROR", Code.Internal, 500],
    ["a fault of ours", inside, "INTERNAL_ERROR", Code.Internal, 500],
    ["something thrown", "a text", "INTERNAL_ERROR", Code.Internal, 500],
  ])(
    "given %s, when it is told, then the code is %s, and nothing of the inside is",
    (_what, error, code, connect, status) => {
      const failure = opsFailureOf(codedErrorOf(error), "e-1");
      const told = connectErrorOf(failure);
      expect([failure.code, statusOf(failure), told.code]).toEqual([code, status, connect]);
      expect(told.details).toMatchObject([{ desc: ErrorMessageSchema, value: { code, errorId: "e-1" } }]);
      expect(told.cause).toBeUndefined();
      expect(JSON.stringify([failure, told.message])).not.toMatch(/SQLITE|\/var|a text/);
    },
  );

  it("given a failure that passes, when it is told, then it says when to try again", () => {
    const failure = opsFailureOf(codedErrorOf(DbError.fault("DB_BUSY", "the directory", inside)), "e-1");
    expect([failure.retryable, failure.retryAfterMs]).toEqual([true, 1000]);
    expect(connectErrorOf(failure).metadata.get("retry-after")).toBe("1");
    expect(connectErrorOf({ ...failure, retryAfterMs: 1001 }).metadata.get("retry-after")).toBe("2");
  });

  it("given an input that is wrong, when it is told, then its own sentence says how", () => {
    const { message, field } = opsFailureOf(OpsInputError.of("page_size", "is 7"), "e-1");
    expect([message, field]).toEqual(["page_size is 7", "page_size"]);
  });
});
