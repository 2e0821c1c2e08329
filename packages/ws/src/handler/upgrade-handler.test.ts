import { SystemRandomness } from "@pm/core";
import { RecordingLogger } from "@pm/core/testing";
import { CloseCode } from "@pm/proto";
import { describe, expect, test } from "vitest";
import { MessageClient, outline } from "../../test/support/message-client.ts";
import { nameAuthenticator } from "../../test/support/name-authenticator.ts";
import { SimulatedServer, type SimulatedServerOptions } from "../../test/support/simulated-server.ts";
import type { Authenticator } from "../authenticator.ts";
import { WsError } from "../ws-error.ts";

/** Headers of a request, over those that every upgrade has; undefined leaves one out. */
type Headers = Readonly<Record<string, string | undefined>>;

const GOOD: Headers = { Authorization: "Bearer t1.u1" };
const IN_LIST: Headers = { "Sec-WebSocket-Protocol": "pm.v1.json, pm.v1.bearer.t1.u1" };

/** One upgrade request in flight, with all that has come back. */
class Upgrade {
  readonly clientEnd: ReturnType<SimulatedServer["connect"]>;
  #received = "";

  constructor(simulation: SimulatedServer, headers: Headers = GOOD, path = "/ws") {
    this.clientEnd = simulation.connect();
    this.clientEnd.on("data", (data: Buffer) => (this.#received += data.toString("latin1")));
    this.clientEnd.on("error", () => undefined);
    const all = {
      Host: "memory",
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      ...headers,
    };
    const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
    this.clientEnd.write([`GET ${path} HTTP/1.1`, ...lines, "", ""].join("\r\n"));
  }

  /** 0 while there is no answer. */
  get status(): number {
    return Number(/^HTTP\/1.1 (\d+)/.exec(this.#received)?.[1] ?? 0);
  }

  header(name: string): string | undefined {
    return new RegExp(`^${name}: (.*)\r$`, "im").exec(this.#received)?.[1];
  }

  /** That of the close frame behind the answer; undefined without one. */
  get closeCode(): number | undefined {
    const at = this.#received.lastIndexOf("\u0088");
    return at < 0 ? undefined : this.#received.charCodeAt(at + 2) * 256 + this.#received.charCodeAt(at + 3);
  }

  /** The code that the body of a refusal has. */
  get code(): string | undefined {
    return /"code":"(\w+)"/.exec(this.#received)?.[1];
  }
}

async function upgrade(simulation: SimulatedServer, headers?: Headers, path?: string): Promise<Upgrade> {
  const asked = new Upgrade(simulation, headers, path);
  await simulation.pass(20);
  return asked;
}

/** An authenticator that answers when it is let. */
function slowAuthenticator(): { options: SimulatedServerOptions; verify: () => void } {
  const waiting: (() => void)[] = [];
  const authenticate: Authenticator["authenticate"] = async (token) => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    return nameAuthenticator.authenticate(token);
  };
  const verify = (): void => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  return { options: { authenticator: { authenticate } }, verify };
}

function failing(reason: Error): SimulatedServerOptions {
  return { authenticator: { authenticate: () => Promise.reject(reason) } };
}

/** The handshakes that were counted, by how they ended. */
async function countedIn({ server }: SimulatedServer): Promise<string[]> {
  const text = await server.metrics.registry.getSingleMetricAsString("pm_ws_handshakes_total");
  return [...text.matchAll(/outcome="(\w+)"\} (\d+)/g)].map(([, outcome, count]) => `${outcome} ${count}`);
}

describe("handshakes under way", () => {
  test("given as many as may be, when one more comes, then it is 503 with Retry-After, and the others go on", async () => {
    const { options, verify } = slowAuthenticator();
    await using simulation = new SimulatedServer({ ...options, maxHandshakes: 2 });
    const held = [await upgrade(simulation), await upgrade(simulation)];
    const excess = await upgrade(simulation);
    expect([excess.status, excess.code, excess.header("Retry-After")]).toEqual([503, "UNAVAILABLE", "5"]);
    verify();
    await simulation.pass(20);
    expect(held.map(({ status }) => status)).toEqual([101, 101]);
    const next = await upgrade(simulation);
    verify();
    await simulation.pass(20);
    expect([next.status, await countedIn(simulation)]).toEqual([101, ["overloaded 1", "accepted 3"]]);
  });

  test.each([
    ["good", "t1.u1"],
    ["bad", "none"],
  ])("given one that takes too long, when its token is %s in the end, then it was refused once", async (_, token) => {
    const { options, verify } = slowAuthenticator();
    const logger = new RecordingLogger();
    await using simulation = new SimulatedServer({ ...options, logger, handshakeTimeoutSecs: 5 });
    const slow = await upgrade(simulation, { Authorization: `Bearer ${token}` });
    simulation.clock.advance(4500);
    await simulation.pass(20);
    expect(slow.status).toBe(0);
    simulation.clock.advance(500);
    await simulation.pass(20);
    expect(slow.status).toBe(408);
    verify();
    await simulation.pass(20);
    expect([simulation.server.connections.size, await countedIn(simulation)]).toEqual([0, ["timeout 1"]]);
    expect(logger.lines.map(({ event, fields }) => [event, fields["status"]])).toEqual([["handshake_refused", 408]]);
  });

  test("given a peer that goes while its token is verified, when that is done, then nothing begins, and nothing is held", async () => {
    const { options, verify } = slowAuthenticator();
    await using simulation = new SimulatedServer({ ...options, maxConnectionsPerTenant: 1, maxHandshakes: 1 });
    const gone = await upgrade(simulation);
    gone.clientEnd.destroy();
    await simulation.pass(20);
    verify();
    await simulation.pass(20);
    expect(simulation.server.connections.size).toBe(0);
    const next = await upgrade(simulation);
    verify();
    await simulation.pass(20);
    expect([next.status, await countedIn(simulation)]).toEqual([101, ["failed 1", "accepted 1"]]);
  });
});

describe("the place of a handshake", () => {
  test("given a tenant at its limit, when one more comes, then it is 429, and the connection that is open keeps its place", async () => {
    await using simulation = new SimulatedServer({ maxConnectionsPerTenant: 1 });
    expect((await upgrade(simulation)).status).toBe(101);
    for (let n = 0; n < 2; n++) {
      const refused = await upgrade(simulation);
      expect([refused.status, refused.code, refused.header("Retry-After")]).toEqual([429, "CONNECTION_LIMIT", "5"]);
    }
  });

  test("given a tenant that may have none, when it comes, then it is 429, and others are let in", async () => {
    await using simulation = new SimulatedServer({ maxConnectionsOf: (tenant) => (tenant === "t1" ? 0 : undefined) });
    expect((await upgrade(simulation)).status).toBe(429);
    expect((await upgrade(simulation, { Authorization: "Bearer t2.u1" })).status).toBe(101);
  });

  test("given an upgrade that ws itself refuses, when it has ended, then its place is free", async () => {
    await using simulation = new SimulatedServer({ maxConnectionsPerTenant: 1 });
    expect((await upgrade(simulation, { ...GOOD, "Sec-WebSocket-Key": "short" })).status).toBe(400);
    await simulation.pass(20);
    expect((await upgrade(simulation)).status).toBe(101);
  });

  test("given a connection that cannot begin, when it has failed, then it is cut off, told, and its place is free", async () => {
    const logger = new RecordingLogger();
    const randomness = new SystemRandomness();
    const uuid = randomness.uuid.bind(randomness);
    randomness.uuid = () => {
      throw new Error("no entropy");
    };
    await using simulation = new SimulatedServer({ maxConnectionsPerTenant: 1, randomness, logger });
    const { clientEnd } = await upgrade(simulation);
    expect([clientEnd.readableEnded || clientEnd.destroyed, logger.lines]).toMatchObject([
      true,
      [{ level: "error", event: "connection_failed", fields: { tenant_id: "t1" } }],
    ]);
    randomness.uuid = uuid;
    using next = await MessageClient.open(simulation);
    expect(next.closeCode).toBeUndefined();
  });
});

describe("what a refusal tells", () => {
  test.each([
    ["TENANT_UNKNOWN", 403, "forbidden"],
    ["TENANT_SUSPENDED", 403, "forbidden"],
    ["TOKEN_EXPIRED", 401, "unauthorized"],
    ["INVALID_TOKEN", 401, "unauthorized"],
    ["CONNECTION_LIMIT", 429, "limited"],
    ["UNAVAILABLE", 503, "overloaded"],
    ["RATE_LIMIT_EXCEEDED", 503, "overloaded"],
    ["INTERNAL_ERROR", 500, "failed"],
  ] as const)("given %s, when the token is in the header, then the answer is %i", async (code, status, outcome) => {
    await using simulation = new SimulatedServer(failing(new WsError(code, "internal words")));
    const answer = await upgrade(simulation);
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect(answer.header("WWW-Authenticate")).toBe(status === 401 ? "Bearer" : undefined);
    expect(await countedIn(simulation)).toEqual([`${outcome} 1`]);
    const errors = await simulation.server.metrics.registry.getSingleMetricAsString("pm_ws_errors_total");
    expect(errors).toContain(`{code="${code}"} 1`);
    expect(answer.clientEnd.readableEnded || answer.clientEnd.destroyed).toBe(true);
  });

  test.each([
    ["TENANT_UNKNOWN", CloseCode.FORBIDDEN],
    ["TENANT_SUSPENDED", CloseCode.FORBIDDEN],
    ["TOKEN_EXPIRED", CloseCode.TOKEN_EXPIRED],
    ["INVALID_TOKEN", CloseCode.INVALID_TOKEN],
  ] as const)(
    "given %s, when the token is in the list, then it is accepted and closed with %i",
    async (code, close) => {
      await using simulation = new SimulatedServer(failing(new WsError(code, "internal words")));
      const { status, code: told, closeCode, clientEnd } = await upgrade(simulation, IN_LIST);
      expect([status, told, closeCode]).toEqual([101, code, close]);
      expect(await countedIn(simulation)).toHaveLength(1);
      // What such a client still sends harms nobody: reserved bits are an error of its socket.
      clientEnd.write(Buffer.from([0xc2, 0x80, 0, 0, 0, 0]));
      await simulation.pass(20);
      expect(simulation.server.connections.size).toBe(0);
    },
  );

  test("given a wait of a millisecond, when it is told in seconds, then it is one", async () => {
    await using simulation = new SimulatedServer(failing(WsError.rateLimited("a tenant", 1)));
    expect((await upgrade(simulation)).header("Retry-After")).toBe("1");
  });
});

describe("what is asked for", () => {
  test.each([
    ["a version before 13", { ...GOOD, "Sec-WebSocket-Version": "8" }, "/ws", 400],
    ["a token in the URL", GOOD, "/ws?Access_Token=x", 400],
    ["no subprotocol that is known", { ...GOOD, "Sec-WebSocket-Protocol": "chat" }, "/ws", 400],
    ["a page of another host", { ...GOOD, Origin: "http://evil.example" }, "/ws", 403],
    ["a page without a host", { ...GOOD, Origin: "null" }, "/ws", 403],
    ["a page of a file, and no host", { ...GOOD, Origin: "file://", Host: "" }, "/ws", 403],
    ["a page of the same host", { ...GOOD, Origin: "http://memory" }, "/ws", 101],
    ["other parameters", GOOD, "/ws?room=1", 101],
    ["a path that begins alike", GOOD, "/wsx", 404],
  ])("given %s, when it is asked for, then the answer fits", async (_, headers, path, status) => {
    await using simulation = new SimulatedServer();
    expect((await upgrade(simulation, headers, path)).status).toBe(status);
  });

  test("given a list of origins, when a page of the same host is not in it, then it is 403", async () => {
    await using simulation = new SimulatedServer({ allowedOrigins: ["https://app.example"] });
    expect((await upgrade(simulation, { ...GOOD, Origin: "http://memory" })).status).toBe(403);
    expect((await upgrade(simulation, { ...GOOD, Origin: "https://app.example" })).status).toBe(101);
  });
});

describe("what ws is told", () => {
  test("given a ping, when it is answered, then once", async () => {
    await using simulation = new SimulatedServer();
    using client = await MessageClient.open(simulation);
    const [clientEnd] = simulation.clientEnds;
    const frames: number[] = [];
    clientEnd?.on("data", (data: Buffer) => frames.push(data[0] ?? 0));
    clientEnd?.write(Buffer.from([0x89, 0x80, 0, 0, 0, 0]));
    await simulation.pass(20);
    expect([frames, client.closeCode]).toEqual([[0x8a], undefined]);
  });

  test("given a frame in more than a thousand parts, when they come, then the connection ends with 1008", async () => {
    await using simulation = new SimulatedServer();
    using client = await MessageClient.open(simulation);
    const [clientEnd] = simulation.clientEnds;
    clientEnd?.write(Buffer.from([0x82, 0xfe, 0x08, 0x00, 0, 0, 0, 0]));
    for (let part = 0; part < 1100; part++) clientEnd?.write(Buffer.from([0]));
    await client.until(() => client.closeCode !== undefined);
    expect([client.closeCode, outline(client.messages)]).toEqual([CloseCode.POLICY, []]);
  });
});
