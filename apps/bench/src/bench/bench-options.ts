import { Command, InvalidArgumentError, Option } from "commander";
import { PROFILE_NAMES } from "../profile/catalog.ts";
import { FULL_SIZES, QUICK_SIZES, type RunSizes, TINY_SIZES } from "../profile/run-sizes.ts";

/** What the bench was asked for. */
export interface BenchOptions {
  readonly size: SizeName;
  readonly sizes: RunSizes;
  readonly rounds: number;
  /** Names of the profiles to run. */
  readonly profiles: readonly string[];
  readonly json: string | undefined;
  readonly html: string | undefined;
}

/** How large the runs are. */
export type SizeName = "full" | "quick" | "tiny";

const SIZES: Readonly<Record<SizeName, RunSizes>> = { full: FULL_SIZES, quick: QUICK_SIZES, tiny: TINY_SIZES };
const FULL_ROUNDS = 3;

interface Flags {
  readonly quick?: true;
  readonly size?: SizeName;
  readonly rounds?: number;
  readonly profile?: readonly string[];
  readonly json?: string;
  readonly html?: string;
}

/** Reads the command line; ends the process, as commander does, for `--help` and for what cannot be. */
export function readBenchOptions(argv: readonly string[]): BenchOptions {
  const flags = benchCommand().parse(argv, { from: "user" }).opts<Flags>();
  const size = flags.size ?? (flags.quick === true ? "quick" : "full");
  return {
    size,
    sizes: SIZES[size],
    rounds: flags.rounds ?? (size === "full" ? FULL_ROUNDS : 1),
    profiles: flags.profile ?? PROFILE_NAMES,
    json: flags.json,
    html: flags.html,
  };
}

function benchCommand(): Command {
  return new Command("bench")
    .description("Measures pm beside a plain ws broadcast server and Socket.IO, in one interleaved run.")
    .option("--quick", "a minute for everything, one round; the same as --size quick")
    .addOption(
      new Option("--size <size>", "how large the runs are; tiny only shows that all works").choices(Object.keys(SIZES)),
    )
    .addOption(new Option("--profile <names...>", "only these profiles").choices(PROFILE_NAMES))
    .option("--rounds <n>", `rounds, of which the median counts (default: ${FULL_ROUNDS}; quick: 1)`, parseRounds)
    .option("--json <file>", "write everything that was measured")
    .option("--html <file>", "write a report that can be opened without a network");
}

function parseRounds(text: string): number {
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= 100) return rounds;
  throw new InvalidArgumentError("Expected a whole number from 1 to 100.");
}
