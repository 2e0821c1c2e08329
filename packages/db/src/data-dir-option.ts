import { resolve } from "node:path";
import { DbError } from "./db-error.ts";

/**
 * Takes the folder of all databases as an option, and makes it absolute.
 * @throws DbError `INVALID_OPTION` for an empty one, and for what is no text, since not every caller is compiled.
 */
export function dataDirOption(value: unknown): string {
  if (typeof value === "string" && value !== "") return resolve(value);
  throw DbError.invalidOption("dataDir", value === "" ? '""' : value, "a folder");
}
