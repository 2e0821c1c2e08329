import type { IncomingMessage, ServerResponse } from "node:http";
import { CodedError, type Logger, type Randomness, silentLogger, SystemRandomness, type TenantContext } from "@pm/core";
import { type ClientError, type PublicErrorCode, toClientError } from "@pm/proto";
import { AuthOptionError } from "./auth-option-error.ts";
import type { Authenticator } from "./authenticator.ts";
import { extractToken } from "./token-extraction.ts";

declare global {
  namespace Express {
    interface Request {
      /** Who the request comes from; put there by `requireTenant` of `@pm/auth`. */
      tenantContext?: TenantContext;
    }
  }
}

/** What the middleware needs of a request; one of express or of plain `node:http`. */
export interface TenantRequest extends IncomingMessage {
  tenantContext?: TenantContext;
}

/** A middleware of express or connect. */
export type TenantMiddleware = (request: TenantRequest, response: ServerResponse, next: () => void) => Promise<void>;

/** Ports of the middleware. */
export interface RequireTenantOptions {
  /** Where refusals are logged, with everything the client is not told. @default none */
  logger?: Logger | undefined;
  /** Makes the `error_id`. @default the machine's */
  randomness?: Randomness | undefined;
}

const STATUS_UNAUTHORIZED = 401;
const STATUS_FORBIDDEN = 403;
const STATUS_INTERNAL = 500;
const STATUS_UNAVAILABLE = 503;

/** How a refusal is answered, by its public code; every other one is a failure of ours. */
const STATUS_BY_CODE: ReadonlyMap<PublicErrorCode, number> = new Map<PublicErrorCode, number>([
  ["MISSING_AUTH_HEADER", STATUS_UNAUTHORIZED],
  ["INVALID_AUTH_SCHEME", STATUS_UNAUTHORIZED],
  ["INVALID_TOKEN", STATUS_UNAUTHORIZED],
  ["TOKEN_EXPIRED", STATUS_UNAUTHORIZED],
  ["TENANT_UNKNOWN", STATUS_FORBIDDEN],
  ["TENANT_SUSPENDED", STATUS_FORBIDDEN],
  ["PERMISSION_DENIED", STATUS_FORBIDDEN],
  ["RATE_LIMIT_EXCEEDED", STATUS_UNAVAILABLE],
  ["UNAVAILABLE", STATUS_UNAVAILABLE],
]);
const NO_CREDENTIALS = new Set<PublicErrorCode>(["MISSING_AUTH_HEADER", "INVALID_AUTH_SCHEME"]);

/**
 * Lets a request pass only with a good token in its Authorization header, and puts the `TenantContext` on it. Otherwise
 * answers JSON `{ code, message, error_id }`: 401 with `WWW-Authenticate` (RFC 6750, section 3), 403 where an
 * authenticator refuses the tenant, 503 with `Retry-After` where the token could not be verified now, 500 where the
 * authenticator fails.
 * @throws AuthOptionError for what is no authenticator
 */
export function requireTenant(authenticator: Authenticator, options: RequireTenantOptions = {}): TenantMiddleware {
  if (!isAuthenticator(authenticator)) throw AuthOptionError.of("authenticator", "has no method authenticate");
  const logger = options.logger ?? silentLogger;
  const randomness = options.randomness ?? new SystemRandomness();
  return async (request, response, next) => {
    try {
      const { token } = extractToken({ authorization: authorizationOf(request) });
      const context: TenantContext | undefined | null = await authenticator.authenticate(token);
      if (context === undefined || context === null) throw new TypeError("the authenticator gave no context");
      request.tenantContext = context;
    } catch (error) {
      refuse(error, response, { errorId: randomness.id(), logger });
      return;
    }
    next();
  };
}

/**
 * The context that `requireTenant` put on a request.
 * @throws TypeError where the middleware did not run before
 */
export function tenantContextOf(request: { readonly tenantContext?: TenantContext | undefined }): TenantContext {
  if (request.tenantContext !== undefined) return request.tenantContext;
  throw new TypeError("no tenant on the request: requireTenant must run before this handler");
}

function isAuthenticator(value: unknown): value is Authenticator {
  return (
    typeof value === "object" && value !== null && "authenticate" in value && typeof value.authenticate === "function"
  );
}

/** As it is now, since what ran before may have changed it; all of them where it was sent more than once. */
function authorizationOf(request: TenantRequest): string | readonly string[] | undefined {
  const { headersDistinct }: { readonly headersDistinct?: NodeJS.Dict<string[]> } = request;
  const sent = headersDistinct?.["authorization"] ?? [];
  return sent.length > 1 ? sent : request.headers.authorization;
}

function refuse(error: unknown, response: ServerResponse, about: { errorId: string; logger: Logger }): void {
  const coded = error instanceof CodedError ? error : internalErrorOf(error);
  const told = toClientError(coded, about.errorId);
  const status = STATUS_BY_CODE.get(told.code) ?? STATUS_INTERNAL;
  logRefusal(coded, status, about);
  // Somebody else has answered, such as a time limit that was shorter.
  if (response.headersSent) return;
  response.statusCode = status;
  response.setHeader("Content-Type", "application/json; charset=utf-8");
  response.setHeader("Cache-Control", "no-store");
  if (status === STATUS_UNAUTHORIZED) response.setHeader("WWW-Authenticate", challengeOf(told));
  if (told.retryAfterMs > 0) response.setHeader("Retry-After", String(Math.ceil(told.retryAfterMs / 1000)));
  response.end(JSON.stringify({ code: told.code, message: told.message, error_id: told.errorId }));
}

function internalErrorOf(cause: unknown): CodedError {
  return new CodedError("INTERNAL_ERROR", "the authenticator failed", { cause });
}

function logRefusal(error: CodedError, status: number, about: { errorId: string; logger: Logger }): void {
  const { code, message, field, location, cause } = error;
  const fields = { error_id: about.errorId, status, code, message, field, location, cause };
  if (status === STATUS_INTERNAL) about.logger.error("authentication_failed", fields);
  else about.logger.info("authentication_refused", fields);
}

/** RFC 6750, section 3.1: a request without credentials is told no error code. */
function challengeOf({ code, message }: ClientError): string {
  return NO_CREDENTIALS.has(code) ? "Bearer" : `Bearer error="invalid_token", error_description="${message}"`;
}
