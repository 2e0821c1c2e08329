import { type Command, InvalidArgumentError, Option } from "commander";
import { formatListenAddress, parseListenAddress } from "../config/listen-address.ts";
import { bearerKey } from "../config/setting-formats.ts";
import { CommandError } from "./command-error.ts";
import type { CommandPorts } from "./command-ports.ts";

/** Where the operations listener is, and its key. */
export interface OpsOptions {
  readonly opsUrl?: string;
  readonly opsKey?: string;
}

/** The same with nothing left open but a key that is not needed. */
export interface OpsEndpoint {
  readonly url: string;
  readonly key: string | undefined;
}

/** Where the operations listener of `pnpm start` is. */
const DEFAULT_OPS_URL = "http://127.0.0.1:3001";

/** Adds the options of every command that asks the operations listener. */
export function addOpsOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--ops-url <url>",
        `operations listener (default: that of OPS_BIND_ADDR, else ${DEFAULT_OPS_URL})`,
      ).argParser(parseOpsUrl),
    )
    .option("--ops-key <key>", "its key (default: OPS_KEY, which other users of this machine cannot see)");
}

/**
 * What the options say, else the environment. @throws CommandError `USAGE` for an address or a key that cannot be one
 */
export function opsEndpoint({ opsUrl, opsKey }: OpsOptions, { env }: Pick<CommandPorts, "env">): OpsEndpoint {
  const key = opsKey ?? env["OPS_KEY"]?.trim();
  if (key !== undefined && key !== "" && !bearerKey.schema.safeParse(key).success) {
    throw CommandError.usage(`${opsKey === undefined ? "OPS_KEY" : "--ops-key"}: expected ${bearerKey.expected}`);
  }
  return { url: opsUrl ?? urlOf(env["OPS_BIND_ADDR"]) ?? DEFAULT_OPS_URL, key: key === "" ? undefined : key };
}

/**
 * An address that binds everything is reached by the loopback; one whose port the system chooses, by none.
 * @throws CommandError `USAGE`
 */
function urlOf(bindAddr: string | undefined): string | undefined {
  const text = bindAddr?.trim() ?? "";
  if (text === "") return undefined;
  const address = parseListenAddress(text);
  if (address === undefined || address.port === 0) {
    throw CommandError.usage("OPS_BIND_ADDR: expected host:port with a port that is not 0, or give --ops-url");
  }
  const host = address.host === "0.0.0.0" ? "127.0.0.1" : address.host === "::" ? "::1" : address.host;
  return `http://${formatListenAddress({ host, port: address.port })}`;
}

function parseOpsUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "") {
    throw new InvalidArgumentError(`Expected a URL like ${DEFAULT_OPS_URL}.`);
  }
  return url.href.replace(/\/$/, "");
}
