import { type Tenant, TenantState } from "@pm/proto/ops";
import { Command, Option } from "commander";
import type { CommandPorts } from "./command-ports.ts";
import { type AskOps, opsAsker } from "./ops-client.ts";
import { addOpsOptions, type OpsOptions } from "./ops-options.ts";
import { TENANT_HEAD, tenantJson, tenantRow } from "./tenant-output.ts";
import { textTable } from "./text-table.ts";

interface TenantListOptions extends OpsOptions {
  readonly state?: keyof typeof STATES;
  readonly json: boolean;
}

const STATES = { active: TenantState.ACTIVE, suspended: TenantState.SUSPENDED } as const;
const PAGE_SIZE = 500;

/** Lists the tenants of the directory, page by page: widths of columns are those of a page. */
export function tenantListCommand(ports: CommandPorts): Command {
  const command = new Command("list")
    .description("list the tenants")
    .addOption(new Option("--state <state>", "only those in this state").choices(Object.keys(STATES)))
    .option("--json", "print one line of JSON a tenant", false)
    .action(async (options: TenantListOptions) => {
      for await (const page of pages(opsAsker(options, ports), options)) {
        const lines = options.json ? page.map(tenantJson) : textTable([TENANT_HEAD, ...page.map(tenantRow)]);
        for (const line of lines) if (!ports.terminal.out(line)) await ports.terminal.drained();
      }
    });
  return addOpsOptions(command);
}

async function* pages(ask: AskOps, { state }: TenantListOptions): AsyncGenerator<readonly Tenant[]> {
  let cursor = "";
  do {
    const request = {
      state: state === undefined ? TenantState.UNSPECIFIED : STATES[state],
      pageSize: PAGE_SIZE,
      cursor,
    };
    const page = await ask((client) => client.listTenants(request));
    yield page.tenants;
    cursor = page.nextCursor;
  } while (cursor !== "");
}
