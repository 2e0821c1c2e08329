import { setFlagsFromString } from "node:v8";

// V8 lets the young generation of its heap grow to 100 MB, as soon as much survives a collection: as when thousands of
// clients connect. For a server that is 8 KB of memory a connection at 10 000 connections, and measurably no speed, so it
// is kept at its first size. This has to run before anything that makes it grow.
setFlagsFromString("--semi-space-growth-factor=1");
