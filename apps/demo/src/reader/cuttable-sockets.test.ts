import type { OpenSocket, SocketListener } from "@pm/client";
import { describe, expect, it, vi } from "vitest";
import { CuttableSockets } from "./cuttable-sockets.ts";

function setUp() {
  const closed: number[] = [];
  let inner: SocketListener | undefined;
  const openSocket: OpenSocket = (_url, _protocols, listener) => {
    inner = listener;
    return { protocol: "pm.v1.proto", send: () => undefined, close: (code) => closed.push(code) };
  };
  const told: (string | number)[] = [];
  const listener: SocketListener = {
    onOpen: () => told.push("open"),
    onMessage: (data) => told.push(typeof data === "string" ? data : "bytes"),
    onClose: (code) => told.push(code),
  };
  const sockets = new CuttableSockets(openSocket);
  const open = () => sockets.open("ws://127.0.0.1/ws", [], listener);
  return { sockets, open, closed, told, inner: () => inner };
}

describe("CuttableSockets", () => {
  it("given a socket when the network is cut then it is lost once, and its end is not told again", () => {
    const { sockets, open, closed, told, inner } = setUp();
    open();
    inner()?.onOpen();
    inner()?.onMessage("hello");
    sockets.cut();
    sockets.cut();
    expect(told).toEqual(["open", "hello", 1006]);
    expect(closed).toEqual([1000]);
  });

  it("given a network that is cut when a socket is opened then it fails, and after the mend it does not", async () => {
    const { sockets, open, told, inner } = setUp();
    sockets.cut();
    open();
    await vi.waitFor(() => expect(told).toEqual([1006]));
    expect(inner()).toBeUndefined();
    sockets.mend();
    expect(open().protocol).toBe("pm.v1.proto");
  });

  it("given a socket that its client has closed when the network is cut then nothing is told", () => {
    const { sockets, open, closed, told } = setUp();
    open().close(1000, "");
    sockets.cut();
    expect(told).toEqual([]);
    expect(closed).toEqual([1000]);
  });
});
