// Loaded before a server (`node --expose-gc --import …`) when its memory is measured: SIGUSR2 collects garbage, so that
// what is read is what is held, not what the collector has not come to yet. The server itself is not changed.

process.on("SIGUSR2", () => {
  // As hard as V8 can: a young generation that has grown during the handshakes shrinks again.
  gc?.({ execution: "sync", type: "major", flavor: "last-resort" });
});
