import { type Encoding, type Publish, type ServerMessageInit } from "@pm/proto";
import { describe, expect, it } from "vitest";
import { PmctlProcess, pmctl } from "./pmctl-process.ts";
import { type Script, ScriptedServer } from "./scripted-server.ts";

const ENV = { JWT_SECRET: "a-secret-of-more-than-thirty-two-bytes" };
const TENANT = ["--tenant", "acme"];
const POSITION = { epoch: "epoch", offset: 7n, check: 9 };

/** Keeps what is published and acknowledges it. */
function acknowledging(kept: Publish[], value: object = {}): Script {
  return async (connection) => {
    connection.welcome();
    const { id, value: publish } = await connection.next("publish");
    kept.push(publish);
    connection.send({
      replyTo: id,
      body: { case: "published", value: { position: POSITION, messageId: "m", ...value } },
    });
  };
}

function failing(body: NonNullable<ServerMessageInit["body"]>): Script {
  return async (connection) => {
    connection.welcome();
    const { id } = await connection.next("publish");
    connection.send({ replyTo: id, body });
  };
}

describe("pmctl publish", () => {
  it.each<Encoding>(["proto", "json"])(
    "given JSON and %s when it is acknowledged then the position is printed",
    async (encoding) => {
      const kept: Publish[] = [];
      await using server = await ScriptedServer.start(acknowledging(kept));
      const args = [
        "publish",
        ...TENANT,
        "--url",
        server.url,
        "--encoding",
        encoding,
        "--event",
        "said",
        "--key",
        "k1",
      ];
      const result = await pmctl([...args, "project:42", '{"text":"hello"}'], { env: ENV });
      expect(result).toEqual({ code: 0, stdout: "epoch:7:9\n", stderr: "" });
      const payload = { kind: { case: "json", value: '{"text":"hello"}' } };
      expect(kept).toEqual([expect.objectContaining({ channel: "project:42", event: "said", idempotencyKey: "k1" })]);
      expect(kept[0]?.payload).toMatchObject(payload);
    },
  );

  it("given a long timeout and the answer to another command when its own comes then that is printed, and it ends at once", async () => {
    await using server = await ScriptedServer.start(async (connection) => {
      connection.welcome();
      const { id } = await connection.next("publish");
      for (const [replyTo, offset] of [
        [id + 1, 6n],
        [id, 7n],
      ] as const) {
        connection.send({ replyTo, body: { case: "published", value: { position: { ...POSITION, offset } } } });
      }
    });
    // It would end long after the test, if the time to wait counted on.
    const result = await pmctl(["publish", ...TENANT, "--url", server.url, "--timeout", "1h", "a", "1"], { env: ENV });
    expect(result).toEqual({ code: 0, stdout: "epoch:7:9\n", stderr: "" });
  });

  it("given the standard input when it is published then it is taken byte for byte, with a key of its own", async () => {
    const kept: Publish[] = [];
    const bytes = new Uint8Array([0, 255, 10, 13]);
    await using server = await ScriptedServer.start(acknowledging(kept), acknowledging(kept));
    const args = ["publish", ...TENANT, "--url", server.url, "a"];
    await pmctl(args, { env: ENV, stdin: bytes });
    await pmctl([...args, "--as", "bytes"], { env: ENV, stdin: "[1]" });
    const [first, second] = kept;
    expect(first?.payload?.kind).toMatchObject({ case: "data", value: bytes });
    expect(second?.payload?.kind).toMatchObject({ case: "data", value: new Uint8Array(Buffer.from("[1]")) });
    expect(first?.idempotencyKey).toMatch(/^[0-9a-f-]{36}$/);
    expect(second?.idempotencyKey).not.toBe(first?.idempotencyKey);
  });

  it("given a duplicate when it is acknowledged then it says so, in JSON too", async () => {
    const duplicate = { duplicate: true };
    await using server = await ScriptedServer.start(acknowledging([], duplicate), acknowledging([], duplicate));
    const args = ["publish", ...TENANT, "--url", server.url, "a", "1"];
    expect(await pmctl(args, { env: ENV })).toMatchObject({ code: 0, stdout: "epoch:7:9 (duplicate)\n" });
    const { stdout } = await pmctl([...args, "--json"], { env: ENV });
    expect(JSON.parse(stdout)).toEqual({ channel: "a", position: "epoch:7:9", duplicate: true, message_id: "m" });
  });

  it("given a refusal when it is published then code and sentence are told, and it exits with 1", async () => {
    const value = { code: "PERMISSION_DENIED", message: "No.", field: "channel", errorId: "e1" };
    await using server = await ScriptedServer.start(failing({ case: "error", value }));
    const { code, stdout, stderr } = await pmctl(["publish", ...TENANT, "--url", server.url, "a", "1"], { env: ENV });
    const told = "pmctl: a: PERMISSION_DENIED (channel): No. (error e1)\n";
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: "", stderr: told });
  });

  it("given an outcome that is unknown when it was published then the key to try again with is told", async () => {
    const unavailable = { code: "UNAVAILABLE", message: "Unknown." };
    await using server = await ScriptedServer.start(
      failing({ case: "error", value: unavailable }),
      async (connection) => {
        connection.welcome();
        await connection.next("publish");
        connection.socket.terminate();
      },
      async (connection) => {
        connection.welcome();
        await connection.next("publish");
      },
    );
    const args = ["publish", ...TENANT, "--url", server.url, "--key", "k1", "--timeout", "1s", "a", "1"];
    const told = "whether it was published is unknown, try again with --key k1\n";
    expect(await pmctl(args, { env: ENV })).toMatchObject({
      code: 1,
      stderr: `pmctl: a: UNAVAILABLE: Unknown.; ${told}`,
    });
    expect(await pmctl(args, { env: ENV })).toMatchObject({
      code: 1,
      stderr: `pmctl: ${server.url}: closed with 1006; ${told}`,
    });
    expect(await pmctl(args, { env: ENV })).toMatchObject({ code: 1, stderr: `pmctl: no answer within 1 s; ${told}` });
  });

  it("given a server that refuses the connection then nothing is said of a key", async () => {
    await using server = await ScriptedServer.start((connection) => connection.socket.close(4501, "INVALID_TOKEN"));
    const { code, stderr } = await pmctl(["publish", "--token", "t", "--url", server.url, "a", "1"]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `pmctl: ${server.url}: closed with 4501 INVALID_TOKEN\n` });
  });

  it("given SIGINT while it waits then it ends with 1 and says what is unknown", async () => {
    const received = Promise.withResolvers<void>();
    await using server = await ScriptedServer.start(async (connection) => {
      connection.welcome();
      await connection.next("publish");
      received.resolve();
    });
    await using publishing = new PmctlProcess(["publish", ...TENANT, "--url", server.url, "a", "1"], { env: ENV });
    await received.promise;
    publishing.signal("SIGINT");
    const { code, stderr } = await publishing.ended();
    expect(stderr).toContain("pmctl: interrupted; whether it was published is unknown");
    expect(code).toBe(1);
  });
});
