// Keeps a real server under load and faults for as long as asked, and holds what its clients saw against the promise.
// Needs the build of the server and of packages/ws. Exit code 1: the promise was broken, which a test in packages/ws
// shows with a server that breaks it.
import { randomInt } from "node:crypto";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type RoundResult, SoakRound } from "./soak/soak-round.ts";
import { SERVER_MAIN, SoakServer } from "./soak/soak-server.ts";

const ROUND_MS = 20_000;
const LEAST_ROUND_MS = 2000;
const HELP = `Usage: node scripts/soak.ts --minutes N [--seed S] [--server FILE]

Starts the built server and lets clients of two tenants, in both encodings, publish and read while they are cut off,
stalled and flooded. Each round ends with all of them caught up; then everything they saw is checked. Each round tells
its seed: with it as --seed, the first round chooses the same faults.

  --minutes N  how long, above 0
  --seed S     a whole number that chooses the faults; their exact moments are up to the machine  [random]
  --server F   what node runs as the server: takes the settings of pm from its environment, and logs server_started
               with its host and port  [apps/server/dist/main.js]
  --help

Exit code: 0 the promise held, 1 it was broken or the server failed, 2 wrong arguments.
`;

interface Arguments {
  readonly minutes: number;
  readonly seed: number;
  readonly main: string;
}

const given = readArguments();
if (typeof given === "string") {
  process.stderr.write(`soak: ${given} (--help tells more)\n`);
  process.exitCode = 2;
} else if (given !== undefined) {
  process.exitCode = await soak(given);
} else {
  process.stdout.write(HELP);
}

/** Undefined: help is wanted. Text: what is wrong. */
function readArguments(): Arguments | string | undefined {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: "string" },
        seed: { type: "string" },
        server: { type: "string" },
        help: { type: "boolean" },
      },
    });
    if (values.help) return undefined;
    const { minutes, seed = String(randomInt(2 ** 32)), server = SERVER_MAIN } = values;
    if (minutes === undefined) return "--minutes is missing";
    if (!/^\d+(?:\.\d+)?$/.test(minutes) || Number(minutes) === 0) return `--minutes is ${minutes}, not above 0`;
    if (!/^\d{1,10}$/.test(seed) || Number(seed) >= 2 ** 32) return `--seed is ${seed}, not a whole number below 2^32`;
    return { minutes: Number(minutes), seed: Number(seed), main: resolve(server) };
  } catch (error) {
    return String((error as { message?: unknown }).message).split("\n")[0] ?? "wrong arguments";
  }
}

async function soak(settings: Arguments): Promise<number> {
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  process.once("SIGTERM", () => stop.abort());
  const server = await SoakServer.start(settings.main);
  try {
    return await rounds(settings, server, stop.signal);
  } finally {
    await server.stop();
  }
}

async function rounds({ minutes, seed }: Arguments, server: SoakServer, signal: AbortSignal): Promise<number> {
  process.stdout.write(`soak: ${minutes} min, seed ${seed}\n`);
  const endMs = performance.now() + minutes * 60_000;
  const roundMs = Math.min(ROUND_MS, Math.max(LEAST_ROUND_MS, (minutes * 60_000) / 3));
  let number = 0;
  while (performance.now() < endMs && !signal.aborted) {
    const seedOfRound = (seed + number) >>> 0;
    const round = new SoakRound({ server, seed: seedOfRound, number: ++number, signal });
    const result = await round.run(roundMs);
    process.stdout.write(`round ${number}: seed ${seedOfRound}, ${progress(result)}\n`);
    const faults = [...result.faults, ...server.faults];
    if (faults.length === 0) continue;
    const again = `--seed ${seedOfRound} chooses the same again`;
    process.stdout.write(`${faults[0]}\nsoak: ${faults.length} faults in round ${number}; ${again}\n`);
    return 1;
  }
  process.stdout.write(`soak: nothing found in ${number} rounds\n`);
  return 0;
}

function progress({ publications, deliveries, cuts, stalls, lagged, missed, unknown }: RoundResult): string {
  const counts = { publications, deliveries, cuts, stalls, lagged, missed, unknown };
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
}
