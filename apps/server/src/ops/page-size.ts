import { OpsInputError } from "./ops-error.ts";

const DEFAULT_PAGE = 100;
const MAX_PAGE = 1000;

/** How much goes on a page; 0 is the default. @throws OpsInputError */
export function pageSizeOf(asked: number): number {
  if (Number.isInteger(asked) && asked >= 0 && asked <= MAX_PAGE) return asked === 0 ? DEFAULT_PAGE : asked;
  throw OpsInputError.of("page_size", `is ${asked}, not an integer from 0 to ${MAX_PAGE}`);
}
