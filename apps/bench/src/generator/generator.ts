import { Worker } from "node:worker_threads";
import { BenchError } from "../bench-error.ts";
import type {
  ConnectionPlan,
  GeneratorAnswer,
  GeneratorCommand,
  GeneratorSetup,
  HandshakePlan,
  PublishPlan,
  WindowPlan,
  WindowSample,
} from "./generator-protocol.ts";

/** A load generator in a thread of its own. Takes one command at a time. */
export class Generator implements AsyncDisposable {
  readonly #worker: Worker;

  constructor(setup: GeneratorSetup) {
    this.#worker = new Worker(new URL("generator-worker.js", import.meta.url), { workerData: setup });
  }

  async open(plan: ConnectionPlan): Promise<void> {
    await this.#tell({ kind: "open", plan });
  }

  async stall(count: number): Promise<void> {
    await this.#tell({ kind: "stall", count });
  }

  publish(plan: PublishPlan): Promise<WindowSample> {
    return this.#measure({ kind: "publish", plan });
  }

  echo(plan: WindowPlan): Promise<WindowSample> {
    return this.#measure({ kind: "echo", plan });
  }

  handshakes(plan: HandshakePlan): Promise<WindowSample> {
    return this.#measure({ kind: "handshakes", plan });
  }

  /** Ends the thread and all its connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  async #measure(command: GeneratorCommand): Promise<WindowSample> {
    const sample = await this.#tell(command);
    if (sample === undefined) throw BenchError.generatorFailed("it measured nothing");
    return sample;
  }

  #tell(command: GeneratorCommand): Promise<WindowSample | undefined> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#worker.off("message", onAnswer);
        this.#worker.off("error", onError);
      };
      const onAnswer = (answer: GeneratorAnswer): void => {
        settle();
        if (answer.kind === "done") resolve(answer.sample);
        else reject(BenchError.generatorFailed(answer.error));
      };
      const onError = (error: unknown): void => {
        settle();
        reject(BenchError.generatorFailed(error));
      };
      this.#worker.on("message", onAnswer);
      this.#worker.on("error", onError);
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      this.#worker.postMessage(command);
    });
  }
}
