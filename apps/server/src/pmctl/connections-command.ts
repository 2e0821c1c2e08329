import type { ConnectionInfo } from "@pm/proto/ops";
import { Command, Option } from "commander";
import type { CommandPorts } from "./command-ports.ts";
import { parseTenant } from "./identity-options.ts";
import { type AskOps, opsAsker } from "./ops-client.ts";
import { addOpsOptions, type OpsOptions } from "./ops-options.ts";
import { textTable } from "./text-table.ts";

interface ConnectionsOptions extends OpsOptions {
  readonly tenant?: string;
  readonly user?: string;
  readonly json: boolean;
}

const PAGE_SIZE = 500;
const HEAD = ["CONNECTED", "TENANT", "USER", "ADDRESS", "IDLE", "SUBSCRIPTIONS", "IN", "OUT", "QUEUED", "BEHIND", "ID"];
const EXAMPLE = `
IN and OUT are messages; QUEUED is what the socket has not taken, in bytes; BEHIND is subscriptions that read the log.

Example:
  $ pmctl connections --tenant acme`;

/** Lists who is connected to a running server. */
export function connectionsCommand(ports: CommandPorts): Command {
  const command = new Command("connections")
    .description("list who is connected to a running server")
    .addOption(new Option("--tenant <id>", "only those of a tenant").argParser(parseTenant))
    .option("--user <id>", "only those of a user")
    .option("--json", "print one line of JSON a connection", false)
    .addHelpText("after", EXAMPLE)
    .action(async (options: ConnectionsOptions) => {
      for await (const page of pages(opsAsker(options, ports), options)) {
        const lines = options.json ? page.map(jsonOf) : textTable([HEAD, ...page.map(rowOf)]);
        for (const line of lines) if (!ports.terminal.out(line)) await ports.terminal.drained();
      }
    });
  return addOpsOptions(command);
}

async function* pages(
  ask: AskOps,
  { tenant = "", user = "" }: ConnectionsOptions,
): AsyncGenerator<readonly ConnectionInfo[]> {
  let cursor = "";
  do {
    const request = { tenantId: tenant, userId: user, pageSize: PAGE_SIZE, cursor };
    const page = await ask((client) => client.listConnections(request));
    yield page.connections;
    cursor = page.nextCursor;
  } while (cursor !== "");
}

function rowOf(info: ConnectionInfo): string[] {
  const { id, tenantId, userId, address, connectedAtMs, idleMs, subscriptions, catchingUp } = info;
  const traffic = [info.messagesIn, info.messagesOut, info.queuedBytes].map(String);
  const idle = `${Math.round(idleMs / 1000)}s`;
  return [
    isoOf(connectedAtMs),
    tenantId,
    userId,
    address,
    idle,
    String(subscriptions),
    ...traffic,
    String(catchingUp),
    id,
  ];
}

/** The same members as `GET /connections` has. */
function jsonOf(info: ConnectionInfo): string {
  return JSON.stringify({
    id: info.id,
    tenant_id: info.tenantId,
    user_id: info.userId,
    address: info.address,
    connected_at: isoOf(info.connectedAtMs),
    idle_ms: info.idleMs,
    subscriptions: info.subscriptions,
    messages_in: Number(info.messagesIn),
    bytes_in: Number(info.bytesIn),
    messages_out: Number(info.messagesOut),
    bytes_out: Number(info.bytesOut),
    queued_bytes: Number(info.queuedBytes),
    catching_up: info.catchingUp,
  });
}

function isoOf(ms: bigint): string {
  return new Date(Number(ms)).toISOString();
}
