import { Command } from "commander";
import { describe, expect, it } from "vitest";
import type { Environment } from "../config/environment.ts";
import { addOpsOptions, type OpsEndpoint, opsEndpoint } from "./ops-options.ts";

function endpointOf(args: readonly string[], env: Environment): OpsEndpoint {
  const command = addOpsOptions(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return opsEndpoint(command.parse(args, { from: "user" }).opts(), { env });
}

describe("the options of the operations listener", () => {
  it.each([
    [[], {}, "http://127.0.0.1:3001"],
    [[], { OPS_BIND_ADDR: "127.0.0.1:4001" }, "http://127.0.0.1:4001"],
    [[], { OPS_BIND_ADDR: "0.0.0.0:4001" }, "http://127.0.0.1:4001"],
    [[], { OPS_BIND_ADDR: "[::]:4001" }, "http://[::1]:4001"],
    [[], { OPS_BIND_ADDR: " " }, "http://127.0.0.1:3001"],
    [["--ops-url", "https://ops.example.com/pm/"], { OPS_BIND_ADDR: "127.0.0.1:1" }, "https://ops.example.com/pm"],
  ])("given %j and %j, when they are read, then the address is %s", (args, env, url) => {
    expect(endpointOf(args, env).url).toBe(url);
  });

  it.each([
    [[], {}, undefined],
    [[], { OPS_KEY: "" }, undefined],
    [[], { OPS_KEY: " k " }, "k"],
    [["--ops-key", "other"], { OPS_KEY: "k" }, "other"],
  ])("given %j and %j, when they are read, then the key is %s", (args, env, key) => {
    expect(endpointOf(args, env).key).toBe(key);
  });

  it.each(["127.0.0.1:3001", "ws://127.0.0.1", "http://a?b", "http://a#b", ""])(
    "given the address %j, when it is read, then it is refused",
    (url) => {
      expect(() => endpointOf(["--ops-url", url], {})).toThrow(/Expected a URL like http:/);
    },
  );

  it.each(["3001", "127.0.0.1:x", "127.0.0.1:0"])(
    "given OPS_BIND_ADDR=%s, when it is read, then it is wrong use, unless the address is given",
    (bindAddr) => {
      const env = { OPS_BIND_ADDR: bindAddr };
      expect(() => endpointOf([], env)).toThrow(expect.objectContaining({ code: "USAGE" }));
      expect(endpointOf(["--ops-url", "http://a"], env).url).toBe("http://a");
    },
  );

  it.each([
    [[], { OPS_KEY: "hunter2\u20ac" }, "OPS_KEY: expected"],
    [["--ops-key", "hunter2 x"], {}, "--ops-key: expected"],
  ])("given %j and %j, when they are read, then the key is refused and not told", (args, env, told) => {
    const attempt = (): OpsEndpoint => endpointOf(args, env);
    expect(attempt).toThrow(told);
    expect(attempt).not.toThrow(/hunter2/);
  });
});
