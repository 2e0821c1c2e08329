import { setTimeout as wait } from "node:timers/promises";
import { type Encoding, RecoveryMiss, type ServerMessageInit } from "@pm/proto";
import { decodeJwt } from "jose";
import { describe, expect, it } from "vitest";
import { PmctlProcess, pmctl } from "./pmctl-process.ts";
import { refusingServer, type ScriptedConnection, ScriptedServer } from "./scripted-server.ts";

const ENV = { JWT_SECRET: "a-secret-of-more-than-thirty-two-bytes" };
const TENANT = ["--tenant", "acme"];

const at = (offset: number): { epoch: string; offset: bigint; check: number } => ({
  epoch: "epoch",
  offset: BigInt(offset),
  check: offset + 100,
});

function published(offset: number, channel = "project:42"): ServerMessageInit {
  const payload = { kind: { case: "json" as const, value: `{"n":${offset}}` } };
  const value = {
    channel,
    offset: BigInt(offset),
    check: offset + 100,
    payload,
    publisher: "alice",
    publishedAtMs: 0n,
  };
  return { body: { case: "publication", value } };
}

/** Answers the next Subscribe. */
async function subscribe(connection: ScriptedConnection, offset: number, more: object = {}): Promise<void> {
  const { id, value } = await connection.next("subscribe");
  const position = at(offset);
  connection.send({ replyTo: id, body: { case: "subscribed", value: { channel: value.channel, position, ...more } } });
}

async function publishOne(connection: ScriptedConnection): Promise<void> {
  connection.welcome();
  await subscribe(connection, 0);
  connection.send(published(1));
}

/** What is still to be written to a socket, when that has stopped to change. */
async function settled({ socket }: ScriptedConnection): Promise<number> {
  for (let before = -1; ; ) {
    const now = socket.bufferedAmount;
    if (now === before) return now;
    before = now;
    await wait(300);
  }
}

describe("pmctl listen", () => {
  it.each<Encoding>(["proto", "json"])(
    "given a server that speaks %s when something is published then it is a line",
    async (encoding) => {
      await using server = await ScriptedServer.start(async (connection) => {
        connection.welcome();
        await subscribe(connection, 0);
        connection.send(published(1), published(2));
      });
      const args = [
        "listen",
        ...TENANT,
        "--user",
        "bob",
        "--role",
        "r",
        "--url",
        server.url,
        "--encoding",
        encoding,
        "--count",
        "2",
        "project:42",
      ];
      const { code, stdout, stderr } = await pmctl(args, { env: ENV });
      expect(stdout).toBe('00:00:00.000 project:42 #1 alice {"n":1}\n00:00:00.000 project:42 #2 alice {"n":2}\n');
      expect(stderr).toBe("connected as pmctl of acme\nlistening to project:42 after epoch:0:100\n");
      expect(code).toBe(0);
      const [connection] = server.connections;
      expect(connection?.encoding).toBe(encoding);
      const token = connection?.request.headers.authorization?.replace("Bearer ", "") ?? "";
      expect(decodeJwt(token)).toMatchObject({ tenant_id: "acme", sub: "bob", roles: ["r"] });
      expect(server.failures).toEqual([]);
    },
  );

  it("given --json when something is published then each line is JSON, and so are gaps", async () => {
    await using server = await ScriptedServer.start(async (connection) => {
      connection.welcome();
      await subscribe(connection, 0);
      const lagged = { channel: "project:42", missedCount: 3n, position: at(4), reason: RecoveryMiss.RETENTION };
      connection.send(published(1), { body: { case: "lagged", value: lagged } }, published(5));
    });
    const { stdout } = await pmctl(["listen", "--json", "--count", "2", ...TENANT, "--url", server.url, "project:42"], {
      env: ENV,
    });
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      expect.objectContaining({ type: "publication", offset: 1, position: "epoch:1:101", json: { n: 1 } }),
      { type: "missed", channel: "project:42", missed_count: 3, reason: "RETENTION" },
      expect.objectContaining({ type: "publication", offset: 5, position: "epoch:5:105", json: { n: 5 } }),
    ]);
  });

  it("given --rewind or --since when it subscribes then it asks for that", async () => {
    const asked: object[] = [];
    const script = async (connection: ScriptedConnection): Promise<void> => {
      connection.welcome();
      const { value } = await connection.next("subscribe");
      asked.push({ rewind: value.rewind, since: value.since?.offset });
      connection.send({ body: { case: "error", value: { code: "X", message: "m" } } });
      connection.socket.close(1000);
    };
    await using server = await ScriptedServer.start(script, script);
    await pmctl(["listen", "--rewind", "7", ...TENANT, "--url", server.url, "a"], { env: ENV });
    await pmctl(["listen", "--since", "e:5:6", ...TENANT, "--url", server.url, "a"], { env: ENV });
    expect(asked).toEqual([
      { rewind: 7, since: undefined },
      { rewind: 0, since: 5n },
    ]);
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "given %s when it listens then it closes with 1000 and exits with 0",
    async (signal) => {
      const closed = Promise.withResolvers<number>();
      await using server = await ScriptedServer.start(async (connection) => {
        connection.socket.on("close", closed.resolve);
        connection.welcome();
        await subscribe(connection, 0);
      });
      await using listening = new PmctlProcess(["listen", ...TENANT, "--url", server.url, "a"], { env: ENV });
      await listening.has("listening to a");
      listening.signal(signal);
      expect(await listening.ended()).toMatchObject({ code: 0, stdout: "" });
      expect(await closed.promise).toBe(1000);
    },
  );

  it("given a server that does not answer the close when it is interrupted then it exits all the same", async () => {
    await using server = await ScriptedServer.start(async (connection) => {
      connection.welcome();
      await subscribe(connection, 0);
      connection.socket.pause();
    });
    await using listening = new PmctlProcess(["listen", ...TENANT, "--url", server.url, "a"], { env: ENV });
    await listening.has("listening to a");
    listening.signal("SIGINT");
    expect(await listening.ended()).toMatchObject({ code: 0 });
  });

  describe("when the connection is lost", () => {
    it("given GoAway and 1012 then it connects again after the hint, goes on from its cursor and prints nothing twice", async () => {
      const sinces: (bigint | undefined)[] = [];
      await using server = await ScriptedServer.start(
        async (connection) => {
          connection.welcome();
          connection.send({ body: { case: "subscribed", value: { channel: "tenant", position: at(8) } } });
          await subscribe(connection, 0);
          connection.send(published(1), published(2), published(9, "tenant"));
          connection.send({ body: { case: "goAway", value: { reconnectAfterMs: 10 } } });
          connection.socket.close(1012);
        },
        async (connection) => {
          connection.welcome();
          // Pushed as always, but not what this connection has asked for.
          connection.send({ body: { case: "subscribed", value: { channel: "tenant", position: at(20) } } });
          for (let i = 0; i < 2; i++) {
            const { id, value } = await connection.next("subscribe");
            sinces.push(value.since?.offset);
            const answer = { channel: value.channel, position: value.since ?? at(0), recovered: true };
            connection.send({ replyTo: id, body: { case: "subscribed", value: answer } });
          }
          connection.send(published(2), published(3), published(10, "tenant"));
        },
      );
      const args = ["listen", "--json", "--count", "5", ...TENANT, "--url", server.url, "project:42"];
      const { code, stdout, stderr } = await pmctl(args, { env: ENV });
      const lines = stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as { channel: string; offset: number });
      expect(lines.map(({ channel, offset }) => `${channel} ${offset}`)).toEqual([
        "project:42 1",
        "project:42 2",
        "tenant 9",
        "project:42 3",
        "tenant 10",
      ]);
      expect(sinces).toEqual([9n, 2n]);
      expect(stderr).toContain("disconnected (closed with 1012), connecting again in 0.0 s");
      expect(code).toBe(0);
      expect(server.failures).toEqual([]);
    });

    it("given a log that has moved on then what was missed is told", async () => {
      await using server = await ScriptedServer.start(
        async (connection) => {
          connection.welcome();
          await subscribe(connection, 5);
          connection.socket.terminate();
        },
        async (connection) => {
          connection.welcome();
          await subscribe(connection, 9, { miss: RecoveryMiss.RETENTION, missedCount: 4n });
          connection.send(published(10));
        },
      );
      const { stdout } = await pmctl(["listen", "--count", "1", ...TENANT, "--url", server.url, "project:42"], {
        env: ENV,
      });
      expect(stdout).toBe(
        '-- project:42: missed 4 publications (RETENTION)\n00:00:00.000 project:42 #10 alice {"n":10}\n',
      );
    });

    it("given an expired token then it comes back at once with a new one", async () => {
      await using server = await ScriptedServer.start(
        async (connection) => {
          connection.welcome();
          await subscribe(connection, 0);
          // A token of the same second would be the same.
          await wait(1100);
          connection.socket.close(4401, "TOKEN_EXPIRED");
        },
        async (connection) => {
          connection.welcome();
          await subscribe(connection, 0, { recovered: true });
          connection.send(published(1));
        },
      );
      const { code } = await pmctl(["listen", "--count", "1", ...TENANT, "--url", server.url, "project:42"], {
        env: ENV,
      });
      const tokens = server.connections.map(({ request }) => request.headers.authorization);
      expect(new Set(tokens).size).toBe(2);
      expect(code).toBe(0);
    });

    it("given an expired token that was handed over then it stops with 1", async () => {
      await using server = await ScriptedServer.start((connection) => {
        connection.welcome();
        connection.socket.close(4401, "TOKEN_EXPIRED");
      });
      const { code, stderr } = await pmctl(["listen", "--token", "t", "--url", server.url, "a"]);
      expect(stderr).toContain(`pmctl: ${server.url}: closed with 4401 TOKEN_EXPIRED\n`);
      expect(code).toBe(1);
    });

    it("given a server that gives no sign of life then it connects again", async () => {
      await using server = await ScriptedServer.start(async (connection) => {
        const value = { tenantId: "acme", userId: "pmctl", heartbeatIntervalMs: 50, heartbeatTimeoutMs: 50 };
        connection.send({ body: { case: "welcome", value } });
        await subscribe(connection, 0);
      }, publishOne);
      const args = ["listen", "--count", "1", ...TENANT, "--url", server.url, "project:42"];
      const { code, stderr } = await pmctl(args, { env: ENV });
      expect(stderr).toContain("disconnected (closed with 1006 no sign of life from the server)");
      expect(code).toBe(0);
    });

    it("given a hole in what is delivered then it subscribes again from its cursor", async () => {
      await using server = await ScriptedServer.start(async (connection) => {
        connection.welcome();
        await subscribe(connection, 0);
        connection.send(published(1), published(3));
        const { id, value } = await connection.next("subscribe");
        const answer = { channel: value.channel, position: value.since ?? at(0), recovered: true };
        connection.send({ replyTo: id, body: { case: "subscribed", value: answer } }, published(2), published(3));
      });
      const args = ["listen", "--json", "--count", "3", ...TENANT, "--url", server.url, "project:42"];
      const { stdout } = await pmctl(args, { env: ENV });
      expect(
        stdout
          .trimEnd()
          .split("\n")
          .map((line) => (JSON.parse(line) as { offset: number }).offset),
      ).toEqual([1, 2, 3]);
    });
  });

  describe("when it is refused", () => {
    it("given no server then it says so and exits with 1", async () => {
      const { code, stderr } = await pmctl(["listen", ...TENANT, "--url", "ws://127.0.0.1:1/ws", "a"], { env: ENV });
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: "pmctl: ws://127.0.0.1:1/ws: cannot be reached (ECONNREFUSED)\n",
      });
    });

    it("given a 401 then the code and the sentence of its body are told", async () => {
      await using server = await refusingServer((response) => {
        response.writeHead(401, { "content-type": "application/json" });
        response.end('{"code":"INVALID_TOKEN","message":"The token is not valid.","error_id":"1"}');
      });
      const { code, stderr } = await pmctl(["listen", ...TENANT, "--url", server.url, "a"], { env: ENV });
      const told = `pmctl: ${server.url}: refused with 401 INVALID_TOKEN: The token is not valid.\n`;
      expect({ code, stderr }).toEqual({ code: 1, stderr: told });
    });

    it("given an answer that never ends then it stops all the same", async () => {
      await using server = await refusingServer((response) => {
        response.writeHead(404);
        response.write("x".repeat(100_000));
      });
      const { code, stderr } = await pmctl(["listen", ...TENANT, "--url", server.url, "a"], { env: ENV });
      expect({ code, stderr }).toEqual({ code: 1, stderr: `pmctl: ${server.url}: refused with 404\n` });
    });

    it("given a channel that is not allowed then it says so and exits with 1", async () => {
      await using server = await ScriptedServer.start(async (connection) => {
        connection.welcome();
        const { id } = await connection.next("subscribe");
        const value = { code: "PERMISSION_DENIED", message: "No.", errorId: "e1" };
        connection.send({ replyTo: id, body: { case: "error", value } });
      });
      const { code, stderr } = await pmctl(["listen", ...TENANT, "--url", server.url, "a"], { env: ENV });
      expect(stderr).toContain("pmctl: a: PERMISSION_DENIED: No. (error e1)\n");
      expect(code).toBe(1);
    });

    it("given a limit that passes then it subscribes again after the time that was told", async () => {
      await using server = await ScriptedServer.start(async (connection) => {
        connection.welcome();
        const { id } = await connection.next("subscribe");
        const value = { code: "RATE_LIMIT_EXCEEDED", message: "Slow.", retryable: true, retryAfterMs: 50 };
        connection.send({ replyTo: id, body: { case: "error", value } });
        await subscribe(connection, 0);
        connection.send(published(1));
      });
      const { code } = await pmctl(["listen", "--count", "1", ...TENANT, "--url", server.url, "project:42"], {
        env: ENV,
      });
      expect(code).toBe(0);
    });

    it("given a channel that the server ends then it says why and exits with 1", async () => {
      await using server = await ScriptedServer.start(async (connection) => {
        connection.welcome();
        await subscribe(connection, 0);
        connection.send({ body: { case: "unsubscribed", value: { channel: "a", code: "PERMISSION_DENIED" } } });
      });
      const { code, stderr } = await pmctl(["listen", ...TENANT, "--url", server.url, "a"], { env: ENV });
      expect(stderr).toContain("pmctl: a: PERMISSION_DENIED\n");
      expect(code).toBe(1);
    });

    it("given frames that are none then it stops with 1", async () => {
      await using server = await ScriptedServer.start((connection) => connection.socket.send(Buffer.from([0xff])));
      const { code, stderr } = await pmctl(["listen", ...TENANT, "--url", server.url, "a"], { env: ENV });
      expect(stderr).toContain("closed with 1002 a frame of the server is not decodable");
      expect(code).toBe(1);
    });
  });

  it("given a reader that goes away when it prints then it exits quietly", async () => {
    await using server = await ScriptedServer.start(async (connection) => {
      connection.welcome();
      await subscribe(connection, 0);
      connection.send(published(1));
    });
    await using listening = new PmctlProcess(["listen", ...TENANT, "--url", server.url, "project:42"], { env: ENV });
    listening.closeStdout();
    expect(await listening.ended()).toMatchObject({ code: 0 });
  });

  it("given a reader that stops reading when much is published then it stops reading too, and goes on with it", async () => {
    const big = "x".repeat(60_000);
    // More than the buffers between two sockets hold.
    const count = 400;
    await using server = await ScriptedServer.start(async (connection) => {
      connection.welcome();
      await subscribe(connection, 0);
      for (let offset = 1; offset <= count; offset++) {
        const payload = { kind: { case: "data" as const, value: Buffer.from(big) } };
        const value = { channel: "a", offset: BigInt(offset), check: 1, payload };
        connection.send({ body: { case: "publication", value } });
      }
    });
    const args = ["listen", "--count", String(count), ...TENANT, "--url", server.url, "a"];
    await using listening = new PmctlProcess(args, { env: ENV });
    listening.pauseStdout();
    await listening.has("listening to a");
    const [connection] = server.connections;
    expect(connection && (await settled(connection))).toBeGreaterThan(0);
    listening.resumeStdout();
    const { code, stdout } = await listening.ended();
    expect(stdout.split("\n").filter((line) => line.endsWith(big))).toHaveLength(count);
    expect(code).toBe(0);
  });

  it("given FORCE_COLOR or NO_COLOR when it prints then that decides, and a pipe has no colours", async () => {
    await using server = await ScriptedServer.start(publishOne, publishOne, publishOne);
    const args = ["listen", "--count", "1", ...TENANT, "--url", server.url, "project:42"];
    const colored = async (env: Record<string, string>): Promise<boolean> => {
      const { stdout } = await pmctl(args, { env: { ...ENV, ...env } });
      return stdout.includes("\u001b[");
    };
    expect(await colored({})).toBe(false);
    expect(await colored({ FORCE_COLOR: "1" })).toBe(true);
    expect(await colored({ NO_COLOR: "1" })).toBe(false);
  });
});
