import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How the server answers. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A real server of a JWK Set on loopback that counts its visits and answers as told. */
export class KeyServer {
  visits = 0;
  answer: Answer = (_, response) => {
    response.statusCode = 404;
    response.end();
  };
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      this.visits++;
      this.answer(request, response);
    });
  }

  static async start(): Promise<KeyServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new KeyServer(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/keys`;
  }

  /** Answers with this set from now on. */
  serve(keys: readonly unknown[]): void {
    this.answer = (_, response) => {
      response.setHeader("Content-Type", "application/jwk-set+json");
      response.end(JSON.stringify({ keys }));
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
