import type { ReaderOrder } from "./reader-protocol.ts";
import { TenantReader } from "./tenant-reader.ts";

// The reader of one tenant in a thread of its own: it can be stalled without the page, and neither tenant waits for the
// other.

let reader: TenantReader | undefined;

addEventListener("message", ({ data }: MessageEvent<ReaderOrder>) => {
  switch (data.kind) {
    case "start":
      reader = new TenantReader(data, (report) => postMessage(report));
      void reader.start();
      break;
    case "publish":
      void reader?.publish(data.issued);
      break;
    case "cut":
      reader?.cut(data.ms);
      break;
    case "mend":
      reader?.mend();
      break;
    case "stall":
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, data.ms);
      break;
    default:
      data satisfies never;
  }
});
