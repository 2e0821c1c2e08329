// FC_NUM_RUNS raises the number of runs of every property, FC_SEED repeats a failed one.
import { configureGlobal } from "fast-check";

const runs = Number(process.env["FC_NUM_RUNS"]);
const seed = Number(process.env["FC_SEED"]);
configureGlobal({
  ...(runs > 0 ? { numRuns: runs } : {}),
  ...(process.env["FC_SEED"] !== undefined && Number.isInteger(seed) ? { seed } : {}),
});
