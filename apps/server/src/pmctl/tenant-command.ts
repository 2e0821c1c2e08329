import type { Tenant, TenantSetting } from "@pm/proto/ops";
import { Argument, Command, Option } from "commander";
import { CommandError } from "./command-error.ts";
import type { CommandPorts } from "./command-ports.ts";
import { parseTenant } from "./identity-options.ts";
import { type OpsClient, opsAsker } from "./ops-client.ts";
import { addOpsOptions, type OpsOptions } from "./ops-options.ts";
import { tenantListCommand } from "./tenant-list-command.ts";
import { addTenantSettings, collectSetting, settingsOf, type TenantSettingOptions } from "./tenant-settings-options.ts";
import { tenantJson, tenantLines } from "./tenant-output.ts";

interface TenantOptions extends OpsOptions, TenantSettingOptions {
  readonly clear?: readonly TenantSetting[];
  readonly json?: boolean;
}

/** One command about one tenant: what it says of itself, and what it asks of the server. */
interface TenantVerb {
  readonly description: string;
  readonly ask: (client: OpsClient, tenantId: string, options: TenantOptions) => Promise<TenantAnswer>;
}

/** Without a tenant, nothing is shown. */
interface TenantAnswer {
  readonly tenant?: Tenant | undefined;
  /** False: the server lets the tenant in all the same. */
  readonly enforced?: boolean;
}

const VERBS = {
  create: {
    description: "make a tenant, active",
    ask: (client, tenantId, options) =>
      client.createTenant({ tenantId, ...settingsOf(options), displayName: options.name ?? "" }),
  },
  update: {
    description: "change the name or the limits of a tenant",
    ask: (client, tenantId, options) =>
      client.updateTenant({ tenantId, ...settingsOf(options), clear: [...(options.clear ?? [])] }),
  },
  suspend: {
    description: "close the connections of a tenant, and let it in no more",
    ask: (client, tenantId) => client.suspendTenant({ tenantId }),
  },
  resume: {
    description: "let a suspended tenant in again",
    ask: (client, tenantId) => client.resumeTenant({ tenantId }),
  },
  show: { description: "show a tenant", ask: (client, tenantId) => client.getTenant({ tenantId }) },
  delete: {
    description:
      "take a tenant out of the directory, and close its connections; its data and the logs of its channels stay, for the next tenant of that name too",
    ask: async (client, tenantId) => {
      const { enforced } = await client.deleteTenant({ tenantId });
      return { enforced };
    },
  },
} as const satisfies Record<string, TenantVerb>;

const EXAMPLE = `
Asks a running server. The directory counts where it has TENANT_VALIDATION=directory: tenants that are unknown or
suspended may not connect then.

Example:
  $ pmctl tenant create acme --name 'Acme Ltd' --max-connections 500
  $ pmctl tenant suspend acme`;

/** Keeps the directory of tenants. */
export function tenantCommand(ports: CommandPorts): Command {
  const tenant = new Command("tenant").description("keep the directory of tenants").helpCommand(false);
  tenant.addHelpText("after", EXAMPLE);
  for (const name of Object.keys(VERBS) as (keyof typeof VERBS)[]) tenant.addCommand(verbCommand(name, ports));
  return tenant.addCommand(tenantListCommand(ports));
}

function verbCommand(name: keyof typeof VERBS, ports: CommandPorts): Command {
  const { description, ask }: TenantVerb = VERBS[name];
  const command = new Command(name)
    .description(description)
    .addArgument(new Argument("<tenant>", "its id").argParser(parseTenant))
    .option("--json", "print JSON", false)
    .action(async (tenantId: string, options: TenantOptions) => {
      if (name === "update") assertChange(options);
      const { tenant, enforced } = await opsAsker(options, ports)((client) => ask(client, tenantId, options));
      if (enforced === false) ports.terminal.note(notEnforced(tenantId), "yellow");
      if (tenant === undefined) return;
      for (const line of options.json === true ? [tenantJson(tenant)] : tenantLines(tenant)) ports.terminal.out(line);
    });
  if (name === "create" || name === "update") addTenantSettings(command);
  if (name === "update") {
    command.addOption(new Option("--clear <setting>", "take a setting away (repeatable)").argParser(collectSetting));
  }
  return addOpsOptions(command);
}

function notEnforced(tenantId: string): string {
  return `pmctl: ${tenantId} can still connect: this server does not validate tenants (TENANT_VALIDATION=off)`;
}

function assertChange(options: TenantOptions): void {
  const { displayName, limits } = settingsOf(options);
  if ([displayName, ...Object.values(limits), options.clear].some((given) => given !== undefined)) return;
  throw CommandError.usage("there is nothing to change: give a name or a limit, or --clear one");
}
