import { PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

// V8 learns from a start with many long-lived objects that those of some places in the code live long, and from then on
// makes them in the old generation. What a publication is made of on its way lives a millisecond: there it would stay
// until the next collection of everything, and keep alive what it refers to. Each costs a twentieth more then.
setFlagsFromString("--no-allocation-site-pretenuring");

// V8 lets the young generation of its heap grow to 64 MB, as soon as much survives a collection: as when thousands of
// clients connect. For a server that is 7 KB of memory a connection at 10 000 connections. At its first size, 1 MB, a
// storm of handshakes costs a fifth more. At 16 MB it costs what it costs at 64.

/** From this size on, in bytes, it does not grow. */
const ENOUGH_BYTES = 16_777_216;

const observer = new PerformanceObserver(() => {
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
  if (young === undefined || young.space_size < ENOUGH_BYTES) return;
  setFlagsFromString("--semi-space-growth-factor=1");
  observer.disconnect();
});
observer.observe({ entryTypes: ["gc"] });
