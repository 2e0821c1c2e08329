import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ProtocolClient } from "../support/protocol-client.ts";
import { ServerProcess } from "../support/server-process.ts";
import { OpsServer } from "./ops-server.ts";

/** Code that runs in the process on SIGUSR2, from within a timer. */
function onSignal(code: string): readonly string[] {
  return [
    "--import",
    `data:text/javascript,${encodeURIComponent(`process.on("SIGUSR2", () => setTimeout(() => { ${code} }));`)}`,
  ];
}

describe("an error that nobody caught", () => {
  it.each([
    ["thrown", 'throw new RangeError("boom\\nX-Line: 2", { cause: new Error("deeper") })', "uncaught_exception"],
    [
      "a rejection that nobody handles",
      'Promise.reject(new RangeError("boom\\nX-Line: 2", { cause: new Error("deeper") }))',
      "unhandled_rejection",
    ],
  ])(
    "given it is %s, when it happens, then it is logged with all that is known, clients are told to come back, and the exit is 1",
    async (_how, code, event) => {
      await using server = await OpsServer.start({}, onSignal(code));
      await using client = await ProtocolClient.connect(server);
      const begunMs = performance.now();
      server.process.signal("SIGUSR2");
      await client.take("goAway");
      expect((await client.closed).code).toBe(1012);
      const { code: exit, atMs } = await server.process.exit;
      expect(exit).toBe(1);
      expect(atMs - begunMs).toBeLessThan(5_000);
      const lines = server.process.lines.filter(({ level }) => level === "error");
      expect(lines).toEqual([
        expect.objectContaining({
          event,
          error: expect.objectContaining({
            name: "RangeError",
            message: "boom␊X-Line: 2",
            stack: expect.arrayContaining([expect.stringContaining("at ")]),
            cause: expect.objectContaining({ message: "deeper" }),
          }),
          pid: server.process.pid,
          uptime_secs: expect.any(Number),
          heap_used_bytes: expect.any(Number),
          active_resources: expect.objectContaining({ TCPServerWrap: 2 }),
        }),
      ]);
      expect(server.process.stderr).toBe("");
    },
  );

  it("given one that is not an error, when it is thrown, then it is logged and the exit is 1", async () => {
    await using server = await OpsServer.start({}, onSignal('throw "a text"'));
    server.process.signal("SIGUSR2");
    expect((await server.process.exit).code).toBe(1);
    expect(server.process.lines.filter(({ level }) => level === "error")).toMatchObject([
      { event: "uncaught_exception", error: "a text" },
    ]);
  });

  it("given a close that never ends, when an error comes, then the process ends all the same, with 1", async () => {
    const endless = join(import.meta.dirname, "../support/endless-close.ts");
    await using server = await OpsServer.start({}, ["--import", endless]);
    server.process.signal("SIGUSR2");
    expect((await server.process.exit).code).toBe(1);
    expect(server.process.lines.filter(({ event }) => event === "drain_finished")).toEqual([]);
  });

  it("given errors that go on, when the second comes, then the process ends at once with 1", async () => {
    await using server = await OpsServer.start({}, onSignal('setInterval(() => { throw new Error("again") }, 10)'));
    await using client = await ProtocolClient.connect(server);
    server.process.signal("SIGUSR2");
    expect((await server.process.exit).code).toBe(1);
    expect(server.process.lines.filter(({ level }) => level === "error")).toHaveLength(2);
    await client.closed;
  });
});

describe("an address that is taken", () => {
  it.each(["BIND_ADDR", "OPS_BIND_ADDR"])(
    "given that of %s, when the server starts, then one line says which and what to do, and the exit is 1",
    async (name) => {
      const taken = createServer().listen(0, "127.0.0.1");
      await once(taken, "listening");
      const address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
      await using server = ServerProcess.launch({ settings: { [name]: address } });
      const { code } = await server.exit;
      taken.close();
      expect(code).toBe(1);
      expect(server.stderr).toBe(
        `pm: ${name}: ${address} is in use: stop the process that listens there, or choose another port\n`,
      );
      expect(server.stdout).not.toContain("server_started");
    },
  );
});
