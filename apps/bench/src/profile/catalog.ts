import type { Behaviour } from "./behaviour.ts";
import type { Comparison } from "./comparison.ts";
import { CONNECTION_COMPARISONS } from "./connection-comparisons.ts";
import { FAIRNESS } from "./fairness.ts";
import { FLUSH_DELAY } from "./flush-delay.ts";
import { PUBLISH_COMPARISONS } from "./publish-comparisons.ts";
import { SCALING } from "./scaling.ts";
import { SLOW_READERS } from "./slow-readers.ts";

/** Profiles that compare servers, in the order of the table. */
export const COMPARISONS: readonly Comparison[] = [...PUBLISH_COMPARISONS, ...CONNECTION_COMPARISONS];

/** Profiles that look at pm alone. */
export const BEHAVIOURS: readonly Behaviour[] = [FAIRNESS, SLOW_READERS, SCALING, FLUSH_DELAY];

/** Names of all profiles. */
export const PROFILE_NAMES: readonly string[] = [...COMPARISONS, ...BEHAVIOURS].map(({ name }) => name);
