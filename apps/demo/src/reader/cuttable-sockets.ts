import { type OpenSocket, openWebSocket, type Socket, type SocketListener } from "@pm/client";

/** The close code of a connection that was lost, or never came about. */
const LOST = 1006;
/** Milliseconds after which an attempt to connect fails while the network is cut. */
const FAILS_AFTER_MS = 50;

interface OpenOne {
  readonly socket: Socket;
  readonly listener: SocketListener;
}

/** Opens sockets over a network that can be cut: the client learns that its connection is lost, and nothing else. */
export class CuttableSockets {
  readonly #openSocket: OpenSocket;
  readonly #sockets = new Set<OpenOne>();
  #isCut = false;

  constructor(openSocket: OpenSocket = openWebSocket) {
    this.#openSocket = openSocket;
  }

  readonly open: OpenSocket = (url, protocols, listener) => {
    if (this.#isCut) return refused(listener);
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

  /** Loses every connection, and lets none come about until `mend`. */
  cut(): void {
    this.#isCut = true;
    for (const one of this.#sockets) {
      this.#sockets.delete(one);
      one.socket.close(1000, "");
      one.listener.onClose(LOST, "");
    }
  }

  mend(): void {
    this.#isCut = false;
  }
}

function refused(listener: SocketListener): Socket {
  const timer = setTimeout(() => listener.onClose(LOST, ""), FAILS_AFTER_MS);
  return { protocol: "", send: () => undefined, close: () => clearTimeout(timer) };
}
