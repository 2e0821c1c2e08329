import { ManualClock } from "@pm/core/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { turn } from "../../test/scripted-server.ts";
import { PmClientError } from "../pm-client-error.ts";
import { type GetToken, type TokenRequest, TokenSource } from "./token-source.ts";

describe("TokenSource", () => {
  let clock: ManualClock;
  let failures: PmClientError[];
  let requests: TokenRequest[];

  beforeEach(() => {
    clock = new ManualClock();
    failures = [];
    requests = [];
  });

  function sourceOf(getToken: GetToken): TokenSource {
    const random = { fraction: () => 0.5, id: () => "" };
    const counted: GetToken = (request) => {
      requests.push(request);
      return getToken(request);
    };
    return new TokenSource(counted, { clock, random, timeoutMs: 1000, onFailure: (error) => failures.push(error) });
  }

  it("given a token that is fresh, when it is wanted again, then it is not fetched again", async () => {
    const source = sourceOf(() => `t-${requests.length}`);
    expect(await source.current()).toBe("t-1");
    source.accepted(5000);
    clock.advance(4999);
    expect(await source.current()).toBe("t-1");
    clock.advance(1);
    expect(await source.current()).toBe("t-2");
    expect(await source.current()).toBe("t-2");
    expect(requests.map(({ reason }) => reason)).toEqual(["connect", "refresh"]);
  });

  it("given many who want a new token at once, when they ask, then getToken is called once", async () => {
    const source = sourceOf(() => `t-${requests.length}`);
    const tokens = await Promise.all([source.fetch("expired"), source.fetch("refresh"), source.current()]);
    expect([tokens, requests.length]).toEqual([["t-1", "t-1", "t-1"], 1]);
  });

  it("given a getToken that fails, when it is tried again, then with growing jitter, and each failure is told", async () => {
    const source = sourceOf(() => {
      if (requests.length < 4) throw new Error("down");
      return "t";
    });
    const token = source.fetch("connect");
    await turn();
    for (const [calls, ms] of [
      [1, 349],
      [2, 1],
      [2, 599],
      [3, 1],
      [3, 1099],
      [4, 1],
    ] as const) {
      expect(requests).toHaveLength(calls === 1 ? 1 : calls - (ms === 1 ? 1 : 0));
      clock.advance(ms);
      await turn();
    }
    expect(await token).toBe("t");
    expect(failures.map(({ code, cause }) => [code, String(cause)])).toEqual(
      Array.from({ length: 3 }, () => ["TOKEN_FAILED", "Error: down"]),
    );
  });

  it.each(["", "a b", "a,b", "é", "x".repeat(8193), 7 as unknown as string])(
    "given %j for a token, when it is fetched, then that is a failure",
    async (token) => {
      const source = sourceOf(() => token);
      void source.fetch("connect").catch(() => undefined);
      await turn();
      expect(failures.map(({ code }) => code)).toEqual(["TOKEN_FAILED"]);
      source.close();
    },
  );

  it("given a getToken that never answers, when its time is over, then it is aborted and asked again", async () => {
    const source = sourceOf(() => (requests.length === 1 ? new Promise(() => undefined) : "t"));
    const token = source.fetch("connect");
    await turn();
    clock.advance(1000);
    await turn();
    expect([requests[0]?.signal.aborted, failures.length]).toEqual([true, 1]);
    source.hurry();
    expect(await token).toBe("t");
    expect(clock.pending).toBe(0);
  });

  it("given a getToken that says unauthorized, when it is called, then nobody tries again", async () => {
    const source = sourceOf(() => {
      throw PmClientError.unauthorized();
    });
    await expect(source.fetch("connect")).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    clock.advance(60_000);
    expect([requests.length, failures]).toEqual([1, []]);
  });

  it("given a refresh that fails again and again, when the token has expired meanwhile, then the next try is at once and says so", async () => {
    const source = sourceOf(({ reason }) => {
      if (reason === "refresh") throw new Error("down");
      return "t";
    });
    const refreshed = source.fetch("refresh");
    await turn();
    expect(await source.fetch("expired")).toBe("t");
    expect(await refreshed).toBe("t");
    expect(requests.map(({ reason }) => reason)).toEqual(["refresh", "expired"]);
  });

  it("given a fetch that waits to try again, when a refresh is wanted too, then it goes on waiting", async () => {
    const source = sourceOf(() => {
      throw new Error("down");
    });
    const tokens = [source.fetch("expired")];
    await turn();
    tokens.push(source.fetch("refresh"));
    await turn();
    expect(requests.map(({ reason }) => reason)).toEqual(["expired"]);
    source.close();
    for (const token of tokens) await expect(token).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("given a fetch that waits to try again, when the source is closed, then it is rejected at once, and getToken is not called again", async () => {
    const source = sourceOf(() => {
      throw new Error("down");
    });
    const token = source.fetch("connect");
    await turn();
    source.close();
    await expect(token).rejects.toMatchObject({ code: "CLOSED" });
    clock.advance(60_000);
    await turn();
    expect([requests.length, clock.pending]).toEqual([1, 0]);
  });

  it("given a source that is closed, when it is used again at once, then the flights before and after do not disturb each other", async () => {
    const second = Promise.withResolvers<string>();
    const source = sourceOf(() => (requests.length === 1 ? new Promise<string>(() => undefined) : second.promise));
    const closed = expect(source.fetch("connect")).rejects.toMatchObject({ code: "CLOSED" });
    await turn();
    source.close();
    const tokens = [source.fetch("connect")];
    await closed;
    await turn();
    tokens.push(source.fetch("refresh"));
    second.resolve("t-2");
    expect([await Promise.all(tokens), requests.length]).toEqual([["t-2", "t-2"], 2]);
  });

  it("given a source that was closed long after its token was taken, when it is used again, then it begins anew", async () => {
    const source = sourceOf(() => "t");
    await source.current();
    source.accepted(1000);
    source.close();
    clock.advance(5000);
    await source.current();
    expect(requests.map(({ reason }) => reason)).toEqual(["connect", "connect"]);
  });

  it("given a source that is closed, when a token is wanted again, then it is a new one", async () => {
    const source = sourceOf(() => `t-${requests.length}`);
    await source.current();
    source.close();
    expect(await source.current()).toBe("t-2");
  });

  it("given a flight that is closed, when it lands, then nothing comes of it and the next one is another", async () => {
    const first = Promise.withResolvers<string>();
    const source = sourceOf(() => (requests.length === 1 ? first.promise : "t-2"));
    const token = source.fetch("connect");
    await turn();
    source.close();
    await expect(token).rejects.toMatchObject({ code: "CLOSED" });
    first.resolve("t-1");
    expect(await source.current()).toBe("t-2");
    expect(clock.pending).toBe(0);
  });
});
