import type { z } from "zod";

/** How the text of a setting is read. */
export interface TextFormat<T> {
  /** What is accepted, as an error says it after "expected". */
  readonly expected: string;
  /**
   * Makes a value of the text. An issue of code `custom` says in its message what is wrong; for others the text is
   * shown. An issue with a path says itself what is expected there.
   */
  readonly schema: z.ZodType<T, string>;
}
