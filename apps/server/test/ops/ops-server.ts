import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { OpsService } from "@pm/proto/ops";
import { ServerProcess } from "../support/server-process.ts";

/** An answer to a POST of JSON. */
export interface JsonAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Details of a failure, as they are in the JSON of Connect. */
export interface JsonFailure {
  readonly code: string;
  readonly message: string;
  readonly details?: readonly { readonly debug: Readonly<Record<string, unknown>> }[];
}

/** A built server as a process, with its operations listener. */
export class OpsServer implements AsyncDisposable {
  readonly process: ServerProcess;
  readonly opsUrl: string;

  private constructor(process: ServerProcess) {
    this.process = process;
    const started = process.lines.find(({ event }) => event === "server_started");
    this.opsUrl = `http://127.0.0.1:${String(started?.["ops_port"])}`;
  }

  static async start(
    settings: Readonly<Record<string, string | undefined>> = {},
    nodeFlags: readonly string[] = [],
  ): Promise<OpsServer> {
    return new OpsServer(await ServerProcess.start(settings, nodeFlags));
  }

  /** Starts the server of another folder: node runs the first script, and takes the usual one for an argument of it. */
  static startScript(main: string, settings: Readonly<Record<string, string>> = {}): Promise<OpsServer> {
    return OpsServer.start(settings, [main]);
  }

  /** Where clients connect, as ProtocolClient takes it. */
  get url(): string {
    return this.process.url;
  }

  /** A client of the typed API. */
  get ops(): Client<typeof OpsService> {
    return createClient(OpsService, createConnectTransport({ baseUrl: this.opsUrl, httpVersion: "1.1" }));
  }

  /** Reads a route of the operations listener. */
  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(`${this.opsUrl}${path}`, { headers });
  }

  /** Calls the typed API as a shell script does. */
  async post(method: string, request: unknown, headers: Readonly<Record<string, string>> = {}): Promise<JsonAnswer> {
    const response = await fetch(`${this.opsUrl}/pm.v1.OpsService/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof request === "string" ? request : JSON.stringify(request),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
  }
}
