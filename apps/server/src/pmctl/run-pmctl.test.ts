import { decodeJwt } from "jose";
import { describe, expect, it } from "vitest";
import { runPmctl } from "./run-pmctl.ts";

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(args: readonly string[], settings: Readonly<Record<string, string>> = {}): Promise<Result> {
  let stdout = "";
  let stderr = "";
  const code = await runPmctl(args, {
    env: { JWT_SECRET: "a-secret-of-more-than-thirty-two-bytes", ...settings },
    interrupted: new AbortController().signal,
    readStdin: () => Promise.resolve(undefined),
    terminal: {
      out: (line) => {
        stdout += `${line}\n`;
        return true;
      },
      drained: () => Promise.resolve(),
      note: (line) => {
        stderr += `${line}\n`;
      },
      paint: (_style, text) => text,
    },
  });
  return { code, stdout, stderr };
}

describe("runPmctl", () => {
  it.each([
    [[], "pmctl: a command is required (pmctl --help lists them)\n"],
    [["tokn"], "pmctl: unknown command 'tokn' (Did you mean token?)\n"],
    [["--frob"], "pmctl: unknown option '--frob'\n"],
    [["token"], "pmctl: --tenant is required\n"],
    [
      ["token", "--tenant", "a b"],
      /^pmctl: option '--tenant <id>' argument 'a b' is invalid\. Expected 1 to 128 [^\n]+\n$/,
    ],
    [
      ["token", "--tenant", "acme", "--ttl", "soon"],
      /^pmctl: option '--ttl <time>' argument 'soon' is invalid\. [^\n]+\n$/,
    ],
    [["token", "--tenant", "acme", "--grant", "read:*"], /^pmctl: option '--grant [^\n]+ is invalid\. [^\n]+\n$/],
    [["token", "--tenant", "acme", "--user", ""], /^pmctl: option '--user [^\n]+ Expected 1 to 128 bytes\.\n$/],
    [["token", "--tenant", "acme", "--role", "r".repeat(129)], /^pmctl: option '--role [^\n]+ 1 to 128 bytes\.\n$/],
    [["publish"], "pmctl: missing required argument 'channel'\n"],
    [
      ["publish", "a b", "x", "--token", "t"],
      /^pmctl: command-argument value 'a b' is invalid for argument 'channel'\. [^\n]+\n$/,
    ],
    [["publish", "a", "{", "--token", "t", "--as", "json"], "pmctl: the payload is not JSON\n"],
    [["listen"], "pmctl: --token or --tenant is required\n"],
    [["listen", "--tenant", "a", "--token", "b"], /^pmctl: option '--token <jwt>' cannot be used with [^\n]+\n$/],
    [
      ["listen", "--since", "e:1:2", "--rewind", "3", "a"],
      /^pmctl: option '--since <position>' cannot be used with [^\n]+\n$/,
    ],
    [
      ["listen", "--since", "e:1:2", "--tenant", "t", "a", "b"],
      "pmctl: --since is a position in one channel, and there are 2\n",
    ],
    [["listen", "--since", "e:1", "a"], /^pmctl: option '--since <position>' argument 'e:1' is invalid\. [^\n]+\n$/],
    [["listen", "--url", "ftp://x", "a"], /^pmctl: option '--url <url>' argument 'ftp:\/\/x' is invalid\. [^\n]+\n$/],
    [["listen", "--encoding", "xml", "a"], /^pmctl: option '--encoding <name>' argument 'xml' is invalid\. [^\n]+\n$/],
    [["tenant", "update", "acme"], "pmctl: there is nothing to change: give a name or a limit, or --clear one\n"],
    [
      ["tenant", "update", "acme", "--publications-per-sec", "1000000001"],
      /^pmctl: option '--publications-per-sec [^\n]+ from 0 to 1000000000\.\n$/,
    ],
    [
      ["tenant", "update", "acme", "--bytes-per-sec", "9007199254740992"],
      /^pmctl: option '--bytes-per-sec [^\n]+ from 0 to 9007199254740991\.\n$/,
    ],
    [["tenant", "update", "acme", "--max-channels", "0"], /^pmctl: option '--max-channels [^\n]+ from 1 to [^\n]+\n$/],
    [["token", "\u001b[31mx", "y"], /^pmctl: too many arguments for 'token'[^\n]+\n$/],
  ])("given %j when it is run then it says what is wrong in one line and exits with 2", async (args, line) => {
    const { code, stdout, stderr } = await run(args);
    expect(stderr).toMatch(line);
    expect(stderr).not.toContain("\u001b");
    if (typeof line === "string") expect(stderr).toBe(line);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });

  it("given publish without a payload in a terminal when it is run then it says how to give one", async () => {
    const { code, stderr } = await run(["publish", "a", "--token", "t"]);
    expect(stderr).toBe("pmctl: there is no payload: give it as an argument or on the standard input\n");
    expect(code).toBe(2);
  });

  it("given all that a token may say when it is made then it says that, and what is not given it leaves out", async () => {
    const user = "u".repeat(128);
    const whole = await run(["token", "--tenant", "acme", "--user", user, "--role", "r"], {
      JWT_ISSUER: "pm-issuer",
      JWT_AUDIENCE: "pm",
    });
    expect(decodeJwt(whole.stdout.trim())).toMatchObject({
      tenant_id: "acme",
      sub: user,
      roles: ["r"],
      iss: "pm-issuer",
      aud: "pm",
    });
    const least = decodeJwt((await run(["token", "--tenant", "acme"])).stdout.trim());
    expect(Object.keys(least).toSorted()).toEqual(["exp", "iat", "sub", "tenant_id"]);
  });

  it("given warnings when a token is made then those about its key are told, and no others", async () => {
    const settings = { JWT_SECRET: "short", MAX_CONNECTIONS_PER_TENANT: "20000" };
    const { code, stderr } = await run(["token", "--tenant", "acme"], settings);
    expect(stderr).toMatch(/^pmctl: warning: JWT_SECRET: has 5 bytes[^\n]+\n$/);
    expect(code).toBe(0);
  });

  it("given --help when it is run then it is on the standard output, with every command and exit code", async () => {
    const { code, stdout } = await run(["--help"]);
    for (const word of [
      "token",
      "listen",
      "publish",
      "tenant",
      "connections",
      "check-config",
      "Exit codes: 0 done, 1 failed, 2 ",
    ]) {
      expect(stdout).toContain(word);
    }
    expect(code).toBe(0);
  });
});
