import { type OpenSocket, openWebSocket, type Socket, type SocketListener } from "@pm/client";

/** The close code of a connection that was lost. */
const LOST = 1006;

interface OpenOne {
  readonly socket: Socket;
  readonly listener: SocketListener;
}

/** Opens sockets that can be cut, as a network would: the client learns that its connection is lost, and nothing else. */
export class CuttableSockets {
  readonly #openSocket: OpenSocket;
  readonly #sockets = new Set<OpenOne>();

  constructor(openSocket: OpenSocket = openWebSocket) {
    this.#openSocket = openSocket;
  }

  readonly open: OpenSocket = (url, protocols, listener) => {
    const socket = this.#openSocket(url, protocols, {
      onOpen: () => listener.onOpen(),
      onMessage: (data) => listener.onMessage(data),
      onClose: (code, reason) => {
        this.#sockets.delete(one);
        listener.onClose(code, reason);
      },
    });
    const one: OpenOne = { socket, listener };
    this.#sockets.add(one);
    return {
      get protocol() {
        return socket.protocol;
      },
      send: (data) => socket.send(data),
      close: (code, reason) => {
        this.#sockets.delete(one);
        socket.close(code, reason);
      },
    };
  };

  /** Loses every connection. */
  cut(): void {
    for (const one of this.#sockets) {
      this.#sockets.delete(one);
      one.socket.close(1000, "");
      one.listener.onClose(LOST, "");
    }
  }
}
