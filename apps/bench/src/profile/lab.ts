import { DIALECTS } from "../dialect/dialects.ts";
import type { ServerKind } from "../dialect/dialect.ts";
import { Generator } from "../generator/generator.ts";
import type { ConnectionPlan, GeneratorManner } from "../generator/generator-protocol.ts";
import type { CpuPinning } from "../process/cpu-pinning.ts";
import { ServerProcess, type ServerStart } from "../process/server-process.ts";
import type { TokenMint } from "../process/token-mint.ts";
import type { RunSizes } from "./run-sizes.ts";

/** What every run needs. */
export interface LabPorts {
  readonly sizes: RunSizes;
  readonly pinning: CpuPinning | undefined;
  /** The secret of the tokens that the mint makes. */
  readonly secret: string;
  readonly mint: TokenMint;
}

/** What a generator is to be like. */
export interface GeneratorForm {
  readonly payloadBytes: number;
  /** Connections of this tenant. @default "bench" */
  readonly tenant?: string | undefined;
  /** @default "spins" */
  readonly manner?: GeneratorManner | undefined;
}

/** A ConnectionPlan without what the bench knows by itself. */
export type ConnectionRequest = Pick<ConnectionPlan, "role" | "count"> &
  Partial<Pick<ConnectionPlan, "channels" | "firstChannel" | "sources">>;

/** Payload of the profiles that compare servers, in bytes. */
export const PAYLOAD_BYTES = 128;

const TENANT = "bench";

/** One fresh server, and generators against it. All of it ends together. */
export class Lab implements AsyncDisposable {
  readonly server: ServerProcess;
  readonly sizes: RunSizes;
  readonly #ports: LabPorts;
  readonly #generators: Generator[] = [];

  private constructor(server: ServerProcess, ports: LabPorts) {
    this.server = server;
    this.sizes = ports.sizes;
    this.#ports = ports;
  }

  /** Starts a server. */
  static async start(
    kind: ServerKind,
    ports: LabPorts,
    form: Pick<ServerStart, "collectsGarbage" | "pmEnv"> = {},
  ): Promise<Lab> {
    const { pinning, secret } = ports;
    return new Lab(await ServerProcess.start({ kind, secret, cpu: pinning?.serverCpu, ...form }), ports);
  }

  /** A generator against the server. */
  generator({ payloadBytes, tenant = TENANT, manner = "spins" }: GeneratorForm): LabGenerator {
    const { kind, port, pid } = this.server;
    const generator = new Generator({ server: kind, port, pid, payloadBytes, manner });
    this.#generators.push(generator);
    return new LabGenerator(generator, (count) => this.tokens(count, tenant));
  }

  /** Different tokens of a tenant; none where the server does not ask for any. */
  async tokens(count: number, tenant: string = TENANT): Promise<readonly string[]> {
    return DIALECTS[this.server.kind].needsToken ? this.#ports.mint.pool(tenant, count) : [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const generator of this.#generators) await generator[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

/** A generator whose connections have the tokens that they need. */
export class LabGenerator {
  readonly load: Generator;
  readonly #tokens: (count: number) => Promise<readonly string[]>;

  constructor(load: Generator, tokens: (count: number) => Promise<readonly string[]>) {
    this.load = load;
    this.#tokens = tokens;
  }

  /** Opens connections; all to one channel from one address, unless told otherwise. */
  async open(request: ConnectionRequest): Promise<void> {
    const tokens = await this.#tokens(request.count);
    await this.load.open({ channels: 1, firstChannel: 0, sources: 1, ...request, tokens });
  }
}
