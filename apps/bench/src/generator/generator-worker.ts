import { parentPort, workerData } from "node:worker_threads";
import { letOthersGoFirst } from "../process/thread-priority.ts";
import type { GeneratorAnswer, GeneratorCommand, GeneratorSetup, WindowSample } from "./generator-protocol.ts";
import { GeneratorSession } from "./generator-session.ts";

// The thread of a generator: one command at a time, one answer each.

const setup = workerData as GeneratorSetup;
if (setup.manner === "yields") letOthersGoFirst();
const session = new GeneratorSession(setup);

parentPort?.on("message", (command: GeneratorCommand) => {
  run(command).then(
    (sample) => answer({ kind: "done", sample }),
    (error: unknown) => answer({ kind: "failed", error }),
  );
});

function answer(message: GeneratorAnswer): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(message);
}

async function run(command: GeneratorCommand): Promise<WindowSample | undefined> {
  switch (command.kind) {
    case "open":
      await session.open(command.plan);
      return undefined;
    case "publish":
      return session.publish(command.plan);
    case "echo":
      return session.echo(command.plan);
    case "handshakes":
      return session.handshakes(command.plan);
    case "stall":
      session.stall(command.count);
      return undefined;
    default:
      return command satisfies never;
  }
}
