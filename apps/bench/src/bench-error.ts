import { CodedError } from "@pm/core";

/** What can go wrong with a measurement, as opposed to its result. */
export type BenchErrorCode = "UNSUPPORTED" | "SERVER_FAILED" | "CONNECT_FAILED" | "GENERATOR_FAILED";

/** A measurement could not be made. */
export class BenchError extends CodedError<BenchErrorCode> {
  static unsupported(what: string): BenchError {
    return new BenchError("UNSUPPORTED", what);
  }

  static serverFailed(server: string, what: string): BenchError {
    return new BenchError("SERVER_FAILED", `the ${server} server ${what}`);
  }

  static connectFailed(ready: number, wanted: number, reason: string): BenchError {
    return new BenchError("CONNECT_FAILED", `${ready} of ${wanted} connections are ready: ${reason}`);
  }

  static generatorFailed(cause: unknown): BenchError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new BenchError("GENERATOR_FAILED", `the load generator failed: ${reason}`, { cause });
  }
}
