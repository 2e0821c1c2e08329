import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { ListenAddress } from "../config/listen-address.ts";
import { type AddressSetting, ListenError } from "./listen-error.ts";

/** What an HttpListener is made of. */
export interface HttpListenerOptions {
  readonly setting: AddressSetting;
  readonly address: ListenAddress;
  readonly handler: RequestListener;
  /** Milliseconds for a whole request. */
  readonly requestTimeoutMs: number;
  /** A connection could not be accepted. */
  readonly onAcceptError: (error: Error) => void;
}

/** A half-sent head is closed after this, in milliseconds; so is a connection on which nothing comes. */
const HEAD_TIMEOUT_MS = 5_000;
/** Headers in all. */
const MAX_HEADER_BYTES = 16_384;

/** An HTTP server on one address, with time limits for everything that it waits for. */
export class HttpListener {
  readonly server: Server;
  readonly #options: HttpListenerOptions;

  constructor(options: HttpListenerOptions) {
    this.#options = options;
    this.server = createServer(
      {
        headersTimeout: HEAD_TIMEOUT_MS,
        requestTimeout: options.requestTimeoutMs,
        connectionsCheckingInterval: 1_000,
        keepAliveTimeout: HEAD_TIMEOUT_MS,
        maxHeaderSize: MAX_HEADER_BYTES,
      },
      options.handler,
    );
  }

  /** Where it listens; only while it does. */
  get address(): ListenAddress {
    const { address, port } = this.server.address() as AddressInfo;
    return { host: address, port };
  }

  /** @throws ListenError */
  listen(): Promise<void> {
    const { setting, address } = this.#options;
    return new Promise((resolve, reject) => {
      const onError = (error: Error): void => reject(ListenError.of(setting, address, error));
      this.server.once("error", onError);
      this.server.listen(address.port, address.host, () => {
        this.server.removeListener("error", onError);
        // From here on it is one connection that could not be accepted, as when descriptors have run out.
        this.server.on("error", this.#options.onAcceptError);
        resolve();
      });
    });
  }

  /** Takes no new connections; requests that have begun are answered. */
  stop(): void {
    this.server.close();
  }

  /** Ends everything now. */
  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
