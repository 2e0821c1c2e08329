import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import {
  AuthError,
  type Authenticator,
  JwtValidator,
  requireTenant,
  type TenantContext,
  tenantContextOf,
} from "@pm/auth";
import { CodedError } from "@pm/core";
import { ManualClock, RecordingLogger } from "@pm/core/testing";
import express from "express";
import supertest from "supertest";
import { describe, expect, it } from "vitest";
import { claimsOf, hs256, NOW_SECS, SECRET } from "./tokens.ts";

const validator = JwtValidator.withHs256(SECRET, { clock: new ManualClock() });
const good = hs256(claimsOf({ roles: ["editor"] }));

/** An express service with one guarded route; the authenticator may be another than the validator. */
function serviceOf(authenticator: Authenticator = validator) {
  const logger = new RecordingLogger();
  const app = express();
  app.get("/open", (_, response) => void response.send("open"));
  app.use(requireTenant(authenticator, { logger }));
  app.get("/me", (request, response) => {
    const { tenant, user, roles } = tenantContextOf(request);
    response.json({ tenant, user, roles, same: request.tenantContext?.user === user });
  });
  return { agent: supertest(app), logger };
}

const failing = (error: unknown): Authenticator => ({
  authenticate: async () => {
    throw error;
  },
});

describe("requireTenant", () => {
  it("given a good token, when a route is called, then the tenant context is on the request", async () => {
    const { agent, logger } = serviceOf();
    const response = await agent.get("/me").set("Authorization", `Bearer ${good}`);
    expect([response.status, response.body]).toEqual([
      200,
      { tenant: "acme", user: "ada", roles: ["editor"], same: true },
    ]);
    expect(logger.lines).toEqual([]);
  });

  it("given a route before the middleware, when it is called without a token, then it answers", async () => {
    expect((await serviceOf().agent.get("/open")).text).toBe("open");
  });

  it.each([
    ["no header", undefined, "MISSING_AUTH_HEADER", "Bearer"],
    ["another scheme", "Basic YWRhOmFkYQ==", "INVALID_AUTH_SCHEME", "Bearer"],
    [
      "a forged token",
      `Bearer ${hs256(claimsOf(), "x".repeat(32))}`,
      "INVALID_TOKEN",
      'Bearer error="invalid_token", error_description="The token is not valid."',
    ],
    [
      "a wrong claim",
      `Bearer ${hs256(claimsOf({ sub: 1 }))}`,
      "INVALID_TOKEN",
      'Bearer error="invalid_token", error_description="The token is not valid."',
    ],
    [
      "no token at all",
      "Bearer nonsense",
      "INVALID_TOKEN",
      'Bearer error="invalid_token", error_description="The token is not valid."',
    ],
    [
      "an expired token",
      `Bearer ${hs256(claimsOf({ exp: NOW_SECS - 60 }))}`,
      "TOKEN_EXPIRED",
      'Bearer error="invalid_token", error_description="The token has expired."',
    ],
  ])(
    "given %s, when a route is called, then it is 401 with the code and an id that finds the log line",
    async (_, header, code, challenge) => {
      const { agent, logger } = serviceOf();
      const response = await (header === undefined ? agent.get("/me") : agent.get("/me").set("Authorization", header));
      expect(response.status).toBe(401);
      expect(response.headers["www-authenticate"]).toBe(challenge);
      expect(response.headers["cache-control"]).toBe("no-store");
      expect(response.headers["retry-after"]).toBeUndefined();
      expect(Object.keys(response.body)).toEqual(["code", "message", "error_id"]);
      expect(response.body.code).toBe(code);
      expect(response.body.error_id).toMatch(/^[A-Za-z0-9_-]{22}$/);
      expect(logger.lines).toHaveLength(1);
      expect(logger.lines[0]).toMatchObject({
        level: "info",
        event: "authentication_refused",
        fields: { error_id: response.body.error_id, status: 401 },
      });
    },
  );

  it("given an overload, when a route is called, then it is 503 with Retry-After in whole seconds", async () => {
    const { agent } = serviceOf(failing(AuthError.unavailable("1024 are being verified", 1200)));
    const response = await agent.get("/me").set("Authorization", `Bearer ${good}`);
    expect([response.status, response.headers["retry-after"], response.body.code]).toEqual([503, "2", "UNAVAILABLE"]);
    expect(response.headers["www-authenticate"]).toBeUndefined();
  });

  it.each([
    ["TENANT_SUSPENDED", 403],
    ["TENANT_UNKNOWN", 403],
    ["PERMISSION_DENIED", 403],
    ["RATE_LIMIT_EXCEEDED", 503],
  ])("given an authenticator that refuses with %s, when a route is called, then it is %d", async (code, status) => {
    const { agent } = serviceOf(failing(new CodedError(code, "tenant acme is refused")));
    const response = await agent.get("/me").set("Authorization", `Bearer ${good}`);
    expect([response.status, response.body.code]).toEqual([status, code]);
  });

  it("given an authenticator that fails, when a route is called, then it is 500 and nothing inside is told", async () => {
    const { agent, logger } = serviceOf(failing(new Error("password of the database is hunter2")));
    const response = await agent.get("/me").set("Authorization", `Bearer ${good}`);
    expect(response.status).toBe(500);
    expect(response.body).toMatchObject({ code: "INTERNAL_ERROR", message: "Something went wrong on our side." });
    expect(response.text + JSON.stringify(response.headers)).not.toMatch(/hunter2|\.ts|at /);
    expect(logger.lines[0]).toMatchObject({
      level: "error",
      event: "authentication_failed",
      fields: { error_id: response.body.error_id },
    });
  });

  it("given two Authorization headers on one request, when it comes over a real socket, then it is refused", async () => {
    const server = createServer(express().use(requireTenant(validator)));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const { port } = server.address() as AddressInfo;
      const headers = ["Host", "localhost", "Authorization", `Bearer ${good}`, "Authorization", `Bearer ${good}`];
      httpRequest({ port, host: "127.0.0.1", headers, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
    await new Promise((resolve) => server.close(resolve));
    expect(status).toBe(401);
  });

  it("given an answer that was sent before the refusal, when that comes, then it is logged and nothing is thrown", async () => {
    const logger = new RecordingLogger();
    const held = Promise.withResolvers<never>();
    const guard = requireTenant({ authenticate: () => held.promise }, { logger });
    const passed = Promise.withResolvers<void>();
    const server = createServer((request, response) => {
      void guard(request, response, () => undefined).then(passed.resolve, passed.reject);
      response.writeHead(503).end("time is over");
    });
    const response = await supertest(server).get("/").set("Authorization", `Bearer ${good}`);
    held.reject(AuthError.unavailable("the key set could not be fetched", 1000));
    await passed.promise;
    expect([response.status, response.text]).toEqual([503, "time is over"]);
    expect(logger.lines.map(({ event }) => event)).toEqual(["authentication_refused"]);
  });

  it.each([undefined, null])(
    "given an authenticator that gives %s, when a route is called, then it is 500",
    async (context) => {
      const { agent } = serviceOf({ authenticate: async () => context as unknown as TenantContext });
      expect((await agent.get("/me").set("Authorization", `Bearer ${good}`)).status).toBe(500);
    },
  );

  it.each([undefined, null, JwtValidator, {}])(
    "given %s as authenticator, when it is made, then that is an error",
    (value) => {
      expect(() => requireTenant(value as Authenticator)).toThrow(
        expect.objectContaining({ code: "INVALID_OPTION", field: "authenticator" }),
      );
    },
  );

  it("given a middleware before it that sets or deletes the header, when a route is called, then that counts", async () => {
    const app = express();
    app.use((request, _, next) => {
      if (request.query["token"] === undefined) delete request.headers.authorization;
      else request.headers.authorization = `Bearer ${good}`;
      next();
    });
    app.get("/me", requireTenant(validator), (_, response) => void response.send("in"));
    expect((await supertest(app).get("/me?token")).status).toBe(200);
    expect((await supertest(app).get("/me").set("Authorization", `Bearer ${good}`)).status).toBe(401);
  });

  it("given a request on which it did not run, when the context is asked for, then that is said", () => {
    expect(() => tenantContextOf({})).toThrow("requireTenant must run before this handler");
  });
});
