import { CodedError } from "@pm/core";

/** Waits for a part of the start. @throws CodedError that begins with the setting which has to do with it */
export async function startedBy(setting: string, starting: Promise<void>): Promise<void> {
  try {
    await starting;
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    throw new CodedError(error.code, `${setting}: ${error.message}`, { cause: error });
  }
}
