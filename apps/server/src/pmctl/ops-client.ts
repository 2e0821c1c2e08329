import { type Client, Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { ErrorMessageSchema, OpsService } from "@pm/proto/ops";
import { CommandError } from "./command-error.ts";
import type { CommandPorts } from "./command-ports.ts";
import { opsEndpoint, type OpsOptions } from "./ops-options.ts";

/** The operations API of a server. */
export type OpsClient = Client<typeof OpsService>;

/** Asks the operations API. Rejects with CommandError `FAILED`, and a line that says why. */
export type AskOps = <T>(ask: (client: OpsClient) => Promise<T>) => Promise<T>;

const TIMEOUT_MS = 10_000;
/** What a call to something else than an operations listener ends with. */
const NO_LISTENER: readonly Code[] = [Code.Unavailable, Code.Unknown, Code.Unimplemented, Code.DeadlineExceeded];

/** Makes what asks the server of the options; nothing is connected before the first question. */
export function opsAsker(options: OpsOptions, ports: CommandPorts): AskOps {
  const { url, key } = opsEndpoint(options, ports);
  const transport = createConnectTransport({
    baseUrl: url,
    httpVersion: "1.1",
    defaultTimeoutMs: TIMEOUT_MS,
    interceptors: [until(ports.interrupted), ...(key === undefined ? [] : [withKey(key)])],
  });
  const client = createClient(OpsService, transport);
  return async (ask) => {
    try {
      return await ask(client);
    } catch (error) {
      if (ports.interrupted.aborted) throw CommandError.failed("interrupted; whether it was done is unknown", error);
      throw CommandError.failed(reasonOf(ConnectError.from(error), url), error);
    }
  };
}

/** Ctrl-C ends a call that waits. */
function until(interrupted: AbortSignal): Interceptor {
  return (next) => (request) => next({ ...request, signal: AbortSignal.any([request.signal, interrupted]) });
}

function withKey(key: string): Interceptor {
  return (next) => (request) => {
    request.header.set("Authorization", `Bearer ${key}`);
    return next(request);
  };
}

function reasonOf(error: ConnectError, url: string): string {
  const [told] = error.findDetails(ErrorMessageSchema);
  if (told !== undefined) return `${told.code}: ${told.message} (${told.errorId})`;
  if (error.code === Code.Unauthenticated) return `${url}: ${error.rawMessage} Give it in OPS_KEY.`;
  if (!NO_LISTENER.includes(error.code)) return `${url}: ${error.rawMessage}`;
  return `${url} does not answer as an operations listener (${error.rawMessage})`;
}
