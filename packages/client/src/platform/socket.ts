/** What a socket tells its owner. `onClose` is told once, also when it never opened. */
export interface SocketListener {
  onOpen(): void;
  onMessage(data: ArrayBuffer | string): void;
  onClose(code: number, reason: string): void;
}

/** One WebSocket, as a port. */
export interface Socket {
  /** The subprotocol that the server selected; empty before it has opened. */
  readonly protocol: string;
  send(data: Uint8Array<ArrayBuffer> | string): void;
  /** Ends it; nothing is told any more. */
  close(code: number, reason: string): void;
}

/** Opens a WebSocket. */
export type OpenSocket = (url: string, protocols: readonly string[], listener: SocketListener) => Socket;

/** Opens the WebSocket of the platform: of browsers, and of Node from 22 on. */
export const openWebSocket: OpenSocket = (url, protocols, listener) => {
  const webSocket = new WebSocket(url, [...protocols]);
  webSocket.binaryType = "arraybuffer";
  const ended = new AbortController();
  const options = { signal: ended.signal };
  webSocket.addEventListener("open", () => listener.onOpen(), options);
  webSocket.addEventListener("message", ({ data }) => listener.onMessage(data as ArrayBuffer | string), options);
  webSocket.addEventListener("close", ({ code, reason }) => listener.onClose(code, reason), options);
  // A close always follows, and says more.
  webSocket.addEventListener("error", () => undefined);
  return {
    get protocol() {
      return webSocket.protocol;
    },
    send: (data) => webSocket.send(data),
    close: (code, reason) => {
      ended.abort();
      webSocket.close(code, reason);
    },
  };
};
