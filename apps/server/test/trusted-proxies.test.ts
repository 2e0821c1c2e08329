import { afterEach, describe, expect, it } from "vitest";
import { OpsServer } from "./ops/ops-server.ts";
import { RawSocket } from "./support/raw-socket.ts";
import { bearer, type HeaderLine, refusalOf, upgrade, upgradeRequest } from "./support/upgrade.ts";

let server: OpsServer;

afterEach(() => server[Symbol.asyncDispose]());

/** The addresses that the registry and the log have for a client that comes with these headers. */
async function addressesOf(...headers: readonly HeaderLine[]): Promise<[registered: unknown, logged: unknown]> {
  const { process } = server;
  using socket = await RawSocket.open(process);
  socket.write(upgradeRequest(process, { headers: [await bearer(), ...headers] }));
  expect((await socket.answer()).status).toBe(101);
  const { connections } = (await (await server.get("/connections")).json()) as {
    readonly connections: readonly { readonly address: string }[];
  };
  expect(connections).toHaveLength(1);
  socket.reset();
  await expect
    .poll(async () => (await (await server.get("/connections")).json()) as unknown)
    .toMatchObject({ connections: [] });

  const { error_id } = refusalOf(await upgrade(process, { headers }));
  await expect.poll(() => process.linesOf(error_id)).toHaveLength(1);
  return [connections[0]?.address, process.linesOf(error_id)[0]?.["address"]];
}

const forwarded = (value: string): HeaderLine => ["X-Forwarded-For", value];

describe("the address of a client", () => {
  it("given no trusted proxies, when an upgrade names another address, then it is not believed", async () => {
    server = await OpsServer.start();
    expect(await addressesOf(forwarded("203.0.113.7"))).toEqual(["127.0.0.1", "127.0.0.1"]);
  });

  it("given that the peer is not among the trusted proxies, when it names another address, then it is not believed", async () => {
    server = await OpsServer.start({ TRUSTED_PROXIES: "10.0.0.0/8" });
    expect(await addressesOf(forwarded("203.0.113.7"))).toEqual(["127.0.0.1", "127.0.0.1"]);
  });

  it("given trusted proxies, when an upgrade comes through them, then the address is the last that none of them has", async () => {
    server = await OpsServer.start({ TRUSTED_PROXIES: "loopback, 10.0.0.0/8" });
    expect(await addressesOf()).toEqual(["127.0.0.1", "127.0.0.1"]);
    expect(await addressesOf(forwarded("203.0.113.7"))).toEqual(["203.0.113.7", "203.0.113.7"]);
    expect(await addressesOf(forwarded("198.51.100.1, 203.0.113.7, 10.1.2.3"))).toEqual(["203.0.113.7", "203.0.113.7"]);
    expect(await addressesOf(forwarded("198.51.100.1"), forwarded("2001:db8::7"))).toEqual([
      "2001:db8::7",
      "2001:db8::7",
    ]);
  });
});
