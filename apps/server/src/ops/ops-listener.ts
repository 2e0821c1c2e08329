import { connectNodeAdapter } from "@connectrpc/connect-node";
import type { ListenAddress } from "../config/listen-address.ts";
import { acceptHttp2, type Http2Handle, type Http2Handler } from "../listener/http2-prior-knowledge.ts";
import { HttpListener } from "../listener/http-listener.ts";
import { OpsGuard, type OpsRefusal } from "./ops-guard.ts";
import type { OpsPorts } from "./ops-ports.ts";
import { opsRoutes } from "./ops-routes.ts";
import { type OpsRpc, opsRpc } from "./ops-rpc.ts";

/** Where the operations listener binds, and who may use it. */
export interface OpsListenerOptions {
  readonly address: ListenAddress;
  readonly key: string | undefined;
}

/** Milliseconds for a whole request: a large batch may come slowly. */
const REQUEST_TIMEOUT_MS = 30_000;

/** The listener for backends and operators: metrics, health with numbers, connections, and the typed API. */
export class OpsListener {
  readonly #http: HttpListener;
  readonly #http2: Http2Handle;

  constructor({ address, key }: OpsListenerOptions, ports: OpsPorts) {
    const guard = new OpsGuard({ key, boundTo: address });
    const rpc = opsRpc(ports);
    this.#http = new HttpListener({
      setting: "OPS_BIND_ADDR",
      address,
      handler: opsRoutes(guard, rpc, ports),
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      onAcceptError: (error) => ports.logger.error("accept_failed", { listener: "operations", error }),
    });
    this.#http2 = acceptHttp2(this.#http.server, http2Handler(guard, rpc, ports));
  }

  /** Where it listens; only while it does. */
  get address(): ListenAddress {
    return this.#http.address;
  }

  /** @throws ListenError */
  listen(): Promise<void> {
    return this.#http.listen();
  }

  close(): void {
    this.#http.close();
    this.#http2.close();
  }
}

/** Over HTTP/2 there is the typed API alone, for clients of gRPC. */
function http2Handler(guard: OpsGuard, rpc: OpsRpc, { logger }: OpsPorts): Http2Handler {
  const answer = connectNodeAdapter({ ...rpc });
  return (request, response) => {
    const { authorization, host } = request.headers;
    const refusal = guard.refuseHost({ host: request.authority ?? host }) ?? guard.refuseKey({ authorization });
    if (refusal === undefined) {
      answer(request, response);
      return;
    }
    const { status, code, message }: OpsRefusal = refusal;
    const path = request.url.split("?", 1)[0];
    logger.warn("operation_forbidden", { code, path, address: request.socket.remoteAddress });
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify({ code, message }));
  };
}
