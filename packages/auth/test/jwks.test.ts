import { JwtValidator, type JwksValidatorOptions } from "@pm/auth";
import { ManualClock, RecordingLogger } from "@pm/core/testing";
import { describe, expect, it } from "vitest";
import { type Answer, KeyServer } from "./key-server.ts";
import { claimsOf, hs256, jwkOf, NOW_SECS, rs256, rsaPair, type RsaPair } from "./tokens.ts";

const MINUTE_MS = 60_000;
const [one, two] = [rsaPair(), rsaPair()];
/** Long enough for all of a test. */
const claims = claimsOf({ exp: NOW_SECS + 86_400 });
const named = (pair: RsaPair, kid: string, sub = "ada") => rs256({ ...claims, sub }, pair, { alg: "RS256", kid });

/** A validator that has not started, on a server with the key `one`. */
async function setUp(options: JwksValidatorOptions = {}) {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await KeyServer.start());
  server.serve([jwkOf(one, "one")]);
  const [clock, logger] = [new ManualClock(), new RecordingLogger()];
  const validator = stack.use(JwtValidator.withJwks(server.url, { clock, logger, ...options }));
  const events = () => logger.lines.map(({ event }) => event);
  return { server, clock, validator, events, logger, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe("JwtValidator.withJwks", () => {
  it("given a key set, when the validator starts, then the keys are fetched once and verify tokens", async () => {
    await using at = await setUp();
    await at.validator.start();
    await at.validator.start();
    expect((await at.validator.authenticate(named(one, "one"))).user).toBe("ada");
    expect((await at.validator.authenticate(rs256(claims, one))).user).toBe("ada");
    await expect(at.validator.authenticate(named(two, "one"))).rejects.toMatchObject({ code: "INVALID_TOKEN" });
    expect(at.server.visits).toBe(1);
  });

  it("given a key set, when it is fetched, then it is asked for as it is, not compressed", async () => {
    await using at = await setUp();
    const asked: unknown[] = [];
    at.server.answer = (request, response) => {
      asked.push(request.headers["accept-encoding"]);
      response.end(JSON.stringify({ keys: [jwkOf(one, "one")] }));
    };
    await at.validator.start();
    expect(asked).toEqual(["identity"]);
  });

  it("given a validator that was not started, when the first tokens come, then one fetch serves them all", async () => {
    await using at = await setUp();
    const tokens = Array.from({ length: 30 }, (_, i) => named(one, "one", `user ${i}`));
    const contexts = await Promise.all(tokens.map((token) => at.validator.authenticate(token)));
    expect(contexts.map(({ user }) => user)).toEqual(tokens.map((_, i) => `user ${i}`));
    expect(at.server.visits).toBe(1);
  });

  it("given a fetch that outlasts the interval, when tokens wait for it, then none of them fetches what is there", async () => {
    await using at = await setUp({ minFetchIntervalMs: 1000 });
    at.server.answer = (_, response) => {
      at.clock.advance(1000);
      response.end(JSON.stringify({ keys: [jwkOf(one, "one")] }));
    };
    const tokens = Array.from({ length: 5 }, (_, i) => named(one, "one", `user ${i}`));
    await Promise.all([...tokens.map((token) => at.validator.authenticate(token)), at.validator.start()]);
    expect(at.server.visits).toBe(1);
  });

  it("given a fetch that has begun, when another token of the new key comes, then it waits for that fetch", async () => {
    await using at = await setUp();
    const held = Promise.withResolvers<void>();
    at.server.answer = (_, response) => {
      void held.promise.then(() => response.end(JSON.stringify({ keys: [jwkOf(one, "one")] })));
    };
    const first = at.validator.authenticate(named(one, "one", "first"));
    await expect.poll(() => at.server.visits).toBe(1);
    const second = at.validator.authenticate(named(one, "one", "second"));
    held.resolve();
    expect((await Promise.all([first, second])).map(({ user }) => user)).toEqual(["first", "second"]);
    expect(at.server.visits).toBe(1);
  });

  it("given a new key, when a token names it, then it is fetched, and tokens of both keys are good", async () => {
    await using at = await setUp();
    await at.validator.start();
    const before = await at.validator.authenticate(named(one, "one"));
    at.server.serve([jwkOf(one, "one"), jwkOf(two, "two")]);
    at.clock.advance(MINUTE_MS);
    expect((await at.validator.authenticate(named(two, "two"))).user).toBe("ada");
    expect(await at.validator.authenticate(named(one, "one"))).toBe(before);
    expect(at.server.visits).toBe(2);
  });

  it("given many tokens with unknown keys, when a minute is not over, then nothing more is fetched", async () => {
    await using at = await setUp();
    await at.validator.start();
    at.server.serve([jwkOf(two, "two")]);
    const unknown = Array.from({ length: 100 }, (_, i) => named(two, `forged ${i}`));
    at.clock.advance(MINUTE_MS - 1);
    await Promise.all(
      [...unknown, named(two, "two")].map((token) =>
        expect(at.validator.authenticate(token)).rejects.toMatchObject({ code: "INVALID_TOKEN" }),
      ),
    );
    expect(at.server.visits).toBe(1);
    at.clock.advance(1);
    const outcomes = await Promise.allSettled(unknown.map((token) => at.validator.authenticate(token)));
    expect(outcomes.every(({ status }) => status === "rejected")).toBe(true);
    expect(at.server.visits).toBe(2);
  });

  it("given tokens of another algorithm, when they name unknown keys, then nothing is fetched for them", async () => {
    await using at = await setUp();
    await at.validator.start();
    at.clock.advance(MINUTE_MS);
    const token = hs256(claims, one.publicKeyPem, { alg: "HS256", kid: "two" });
    await expect(at.validator.authenticate(token)).rejects.toMatchObject({ code: "INVALID_TOKEN" });
    expect(at.server.visits).toBe(1);
  });

  it("given a withdrawn key, when the set is old and a token comes, then its tokens are refused, remembered or not", async () => {
    await using at = await setUp();
    await at.validator.start();
    await at.validator.authenticate(named(one, "one"));
    at.server.serve([jwkOf(two, "two")]);
    at.clock.advance(10 * MINUTE_MS - 1);
    await at.validator.authenticate(named(one, "one", "bob"));
    expect(at.server.visits).toBe(1);
    at.clock.advance(1);
    await at.validator.authenticate(named(one, "one", "eve"));
    await expect.poll(() => at.events().filter((event) => event === "keys_fetched").length).toBe(2);
    for (const user of ["ada", "bob", "eve", "new"]) {
      await expect(at.validator.authenticate(named(one, "one", user))).rejects.toMatchObject({ code: "INVALID_TOKEN" });
    }
    expect((await at.validator.authenticate(named(two, "two"))).user).toBe("ada");
    expect(at.server.visits).toBe(2);
  });

  it("given a withdrawn key, when the set is old and only remembered tokens come, then they are refused too", async () => {
    await using at = await setUp();
    await at.validator.start();
    const remembered = named(one, "one");
    await at.validator.authenticate(remembered);
    at.server.serve([jwkOf(two, "two")]);
    at.clock.advance(10 * MINUTE_MS);
    await at.validator.authenticate(remembered);
    await expect.poll(() => at.events().filter((event) => event === "keys_fetched").length).toBe(2);
    await expect(at.validator.authenticate(remembered)).rejects.toMatchObject({ code: "INVALID_TOKEN" });
  });

  it("given tokens that come without end, when the set grows old again and again, then it is fetched each time, once", async () => {
    await using at = await setUp();
    await at.validator.start();
    const remembered = Array.from({ length: 100 }, (_, i) => named(one, "one", `user ${i}`));
    for (let minute = 1; minute <= 30; minute++) {
      at.clock.advance(MINUTE_MS);
      await Promise.all(remembered.map((token) => at.validator.authenticate(token)));
      await expect.poll(() => at.events().length).toBe(1 + Math.floor(minute / 10));
      // Takes as long as a fetch that ought not to be, which is then seen.
      await (await fetch(at.server.url)).text();
    }
    expect(at.server.visits).toBe(30 + 4);
    expect(new Set(at.events())).toEqual(new Set(["keys_fetched"]));
  });

  it("given a set with an unnamed key, when a token names a new one, then it is fetched before the unnamed one counts", async () => {
    await using at = await setUp();
    at.server.serve([jwkOf(one, undefined)]);
    await at.validator.start();
    at.server.serve([jwkOf(one, undefined), jwkOf(two, "two")]);
    at.clock.advance(MINUTE_MS);
    expect((await at.validator.authenticate(named(two, "two"))).user).toBe("ada");
    expect((await at.validator.authenticate(named(one, "other"))).user).toBe("ada");
    expect(at.server.visits).toBe(2);
  });

  it("given a validator that is closed, when tokens come, then known keys decide, and nothing is fetched or said of others", async () => {
    await using at = await setUp();
    await at.validator.start();
    await at.validator.close();
    at.clock.advance(10 * MINUTE_MS);
    for (const user of ["ada", "bob"])
      expect((await at.validator.authenticate(named(one, "one", user))).user).toBe(user);
    await expect(at.validator.authenticate(named(two, "two"))).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("closed"),
    });
    expect(at.server.visits).toBe(1);
    expect(at.events()).toEqual(["keys_fetched"]);
  });

  it("given a key with the name of another, when the set is fetched again, then tokens of the old one are refused", async () => {
    await using at = await setUp();
    await at.validator.start();
    await at.validator.authenticate(named(one, "one"));
    at.server.serve([jwkOf(two, "one"), jwkOf(two, "two")]);
    at.clock.advance(MINUTE_MS);
    await at.validator.authenticate(named(two, "two"));
    await expect(at.validator.authenticate(named(one, "one"))).rejects.toMatchObject({ code: "INVALID_TOKEN" });
  });
});

describe("given a key server that fails", () => {
  const failures: [string, Answer][] = [
    ["an error", (_, response) => response.writeHead(500).end("oops")],
    ["a part", (_, response) => response.writeHead(206).end(JSON.stringify({ keys: [jwkOf(two, "two")] }))],
    ["a reset", (request) => request.socket.destroy()],
    ["no JSON", (_, response) => response.end("<html>")],
    ["no key set", (_, response) => response.end("[]")],
    ["keys twice", (_, response) => response.end('{"keys":[],"keys":[]}')],
    ["no usable key", (_, response) => response.end(JSON.stringify({ keys: [{ kty: "oct", k: "AAAA", kid: "two" }] }))],
    [
      "too much",
      (_, response) => response.end(JSON.stringify({ keys: [jwkOf(two, "two")], pad: "x".repeat(131_072) })),
    ],
  ];

  it.each(failures)(
    "with %s, when a new key is looked for, then the old ones are kept and the token may come again",
    async (_, answer) => {
      await using at = await setUp();
      await at.validator.start();
      at.server.answer = answer;
      at.clock.advance(MINUTE_MS);
      await expect(at.validator.authenticate(named(two, "two"))).rejects.toMatchObject({
        code: "UNAVAILABLE",
        retryAfterMs: MINUTE_MS,
      });
      expect((await at.validator.authenticate(named(one, "one"))).user).toBe("ada");
      expect(at.logger.lines.at(-1)).toMatchObject({
        level: "warn",
        event: "keys_fetch_failed",
        fields: { kept: 1 },
      });
      at.server.serve([jwkOf(two, "two")]);
      at.clock.advance(MINUTE_MS - 1);
      await expect(at.validator.authenticate(named(two, "two"))).rejects.toMatchObject({ retryAfterMs: 1 });
      at.clock.advance(1);
      expect((await at.validator.authenticate(named(two, "two"))).user).toBe("ada");
      expect(at.server.visits).toBe(3);
    },
  );

  it("with an error that goes on and on, when its status is known, then the connection is ended", async () => {
    await using at = await setUp();
    let isEnded = false;
    at.server.answer = (request, response) => {
      request.socket.once("close", () => (isEnded = true));
      response.writeHead(500).write("oops");
    };
    await expect(at.validator.start()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect.poll(() => isEnded).toBe(true);
  });

  it("with one byte more than may be, when the keys are fetched, then they are refused, and without it they are taken", async () => {
    const document = JSON.stringify({ keys: [jwkOf(one, "one")] });
    await using at = await setUp({ maxKeySetBytes: document.length });
    at.server.answer = (_, response) => response.end(`${document} `);
    await expect(at.validator.start()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    at.server.answer = (_, response) => response.end(document);
    at.clock.advance(MINUTE_MS);
    await at.validator.start();
    expect((await at.validator.authenticate(named(one, "one"))).user).toBe("ada");
  });

  it("with a redirect, when a new key is looked for, then it is not followed", async () => {
    await using at = await setUp();
    await using elsewhere = await KeyServer.start();
    elsewhere.serve([jwkOf(two, "two")]);
    await at.validator.start();
    at.server.answer = (_, response) => response.writeHead(302, { location: elsewhere.url }).end();
    at.clock.advance(MINUTE_MS);
    await expect(at.validator.authenticate(named(two, "two"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(elsewhere.visits).toBe(0);
  });

  it("at the start, when it works again, then the validator heals by itself", async () => {
    await using at = await setUp();
    at.server.answer = (_, response) => response.writeHead(503).end();
    await expect(at.validator.start()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(at.validator.authenticate(named(one, "one"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(at.server.visits).toBe(1);
    at.server.serve([jwkOf(one, "one")]);
    at.clock.advance(MINUTE_MS);
    expect((await at.validator.authenticate(named(one, "one"))).user).toBe("ada");
    await expect(at.validator.authenticate(named(two, "two"))).rejects.toMatchObject({ code: "INVALID_TOKEN" });
  });

  it("by saying nothing, when the time for a fetch is over, then it is given up and the keys are kept", async () => {
    await using at = await setUp();
    await at.validator.start();
    at.server.answer = () => undefined;
    at.clock.advance(MINUTE_MS);
    const refused = expect(at.validator.authenticate(named(two, "two"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect.poll(() => at.server.visits).toBe(2);
    expect((await at.validator.authenticate(named(one, "one"))).user).toBe("ada");
    at.clock.advance(4000);
    await refused;
    expect(at.logger.lines.at(-1)?.fields["reason"]).toContain("more than 4000 ms");
    expect(at.clock.pending).toBe(0);
  });

  it("by sending without an end, when the time for a fetch is over, then it is given up", async () => {
    await using at = await setUp();
    at.server.answer = (_, response) => response.write('{"keys":[');
    const refused = expect(at.validator.start()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect.poll(() => at.server.visits).toBe(1);
    at.clock.advance(4000);
    await refused;
  });

  it("by being slow, when more tokens wait than may, then the others are told at once to come again", async () => {
    await using at = await setUp({ maxWaitingForKeys: 5 });
    const held = Promise.withResolvers<void>();
    at.server.answer = (_, response) => {
      void held.promise.then(() => response.end(JSON.stringify({ keys: [jwkOf(one, "one")] })));
    };
    const tokens = Array.from({ length: 20 }, (_, i) => named(one, "one", `user ${i}`));
    const outcomes = tokens.map((token) =>
      at.validator.authenticate(token).then(
        () => "good",
        (error) => error.code,
      ),
    );
    const refused: string[] = [];
    for (const outcome of outcomes) void outcome.then((told) => told !== "good" && refused.push(told));
    await expect.poll(() => refused.length).toBe(14);
    held.resolve();
    const told = await Promise.all(outcomes);
    expect(told.slice(0, 6)).toEqual(Array.from({ length: 6 }, () => "good"));
    expect(new Set(refused)).toEqual(new Set(["UNAVAILABLE"]));
    expect(at.server.visits).toBe(1);
  });

  it("by being slow, when the validator is closed, then nothing waits any longer", async () => {
    await using at = await setUp();
    at.server.answer = () => undefined;
    const refused = ["ada", "bob"].map((user) =>
      expect(at.validator.authenticate(named(one, "one", user))).rejects.toMatchObject({
        code: "UNAVAILABLE",
        message: expect.stringContaining("closed"),
      }),
    );
    await expect.poll(() => at.server.visits).toBe(1);
    await at.validator.close();
    expect(at.events()).toEqual(["keys_fetch_failed"]);
    await Promise.all(refused);
    expect(at.clock.pending).toBe(0);
  });
});

describe("the URL of a key set", () => {
  it.each(["keys", "ftp://id.example/keys", "file:///etc/keys", "https://user:password@id.example/keys"])(
    "given %s, when a validator is made, then it is refused",
    (url) => {
      expect(() => JwtValidator.withJwks(url)).toThrow(
        expect.objectContaining({ code: "INVALID_OPTION", field: "url" }),
      );
    },
  );

  it.each([
    ["http://id.example/keys", 1],
    ["https://id.example/keys", 0],
    ["http://localhost:1/keys", 0],
    ["http://[::1]:1/keys", 0],
    ["http://127.0.0.1.example/keys", 1],
  ])("given %s, when a validator is made, then %d warnings are logged", (url, warnings) => {
    const logger = new RecordingLogger();
    JwtValidator.withJwks(url, { logger });
    expect(logger.lines.length).toBe(warnings);
  });
});
