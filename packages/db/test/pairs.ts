import type { Migration } from "../src/index.ts";

/** The schema of the tests that write in other processes. */
export const PAIRS: readonly Migration[] = [
  { version: 1, name: "pairs", up: "CREATE TABLE pairs (number INTEGER, part TEXT, filler BLOB) STRICT" },
];
