import { randomUUID } from "node:crypto";
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { parseChannel } from "./channel-argument.ts";
import { CommandError } from "./command-error.ts";
import type { CommandPorts } from "./command-ports.ts";
import { addConnectionOptions, type ConnectionOptions } from "./connection-options.ts";
import { parseDuration } from "./duration-option.ts";
import { tokenSource } from "./identity-options.ts";
import { formatPosition } from "./position-option.ts";
import { publishOnce } from "./publish-once.ts";
import { PAYLOAD_FORMS, type PayloadForm, payloadOf } from "./publish-payload.ts";

interface PublishOptions extends ConnectionOptions {
  readonly event: string;
  readonly key?: string;
  readonly as: PayloadForm;
  readonly timeout: number;
  readonly json: boolean;
}

const TOKEN_TTL_SECS = 300;
const MAX_TEXT_BYTES = 64;
const EXAMPLE = `
The payload is an argument, or the standard input. Waits until the publication is in the log, and prints its position as
epoch:offset:check. Exits with 1 where that is not so, or not known; the same --key makes trying again safe.
Publishes as a client does. The channels user and tenant are for backends: the operations API reaches them.

Example:
  $ pmctl publish --tenant acme project:42 '{"text":"hello"}'
  $ pmctl publish --tenant acme project:42 --as bytes < picture.png`;

/** Publishes one message. */
export function publishCommand(ports: CommandPorts): Command {
  return addConnectionOptions(new Command("publish").description("publish one message in a channel"))
    .addArgument(new Argument("<channel>", "where to publish").argParser(parseChannel))
    .addArgument(new Argument("[payload]", "what to publish; without it, the standard input"))
    .addOption(new Option("--event <name>", "name of the event").default("", "none").argParser(parseShortText))
    .addOption(new Option("--key <key>", "idempotency key (default: a new one)").argParser(parseShortText))
    .addOption(new Option("--as <form>", "how the payload is sent").choices(PAYLOAD_FORMS).default("auto"))
    .addOption(new Option("--timeout <time>", "how long to wait").default(10, "10s").argParser(parseDuration))
    .option("--json", "print JSON", false)
    .addHelpText("after", EXAMPLE)
    .action((channel: string, payload: string | undefined, options: PublishOptions) =>
      publish(channel, payload, options, ports),
    );
}

async function publish(
  channel: string,
  given: string | undefined,
  options: PublishOptions,
  ports: CommandPorts,
): Promise<void> {
  const bytes = given === undefined ? await ports.readStdin() : Buffer.from(given);
  if (bytes === undefined)
    throw CommandError.usage("there is no payload: give it as an argument or on the standard input");
  const { url, encoding, event, key = randomUUID(), timeout, json } = options;
  const token = await tokenSource(options, TOKEN_TTL_SECS, ports).get();
  const payload = payloadOf(bytes, options.as);
  const { position, duplicate, messageId } = await publishOnce(
    { url, token, encoding },
    { channel, payload, event, idempotencyKey: key },
    { timeoutMs: timeout * 1000, signal: ports.interrupted },
  );
  const at = formatPosition(position);
  if (json) ports.terminal.out(JSON.stringify({ channel, position: at, duplicate, message_id: messageId }));
  else ports.terminal.out(duplicate ? `${at} (duplicate)` : at);
}

function parseShortText(text: string): string {
  const size = Buffer.byteLength(text);
  if (size >= 1 && size <= MAX_TEXT_BYTES) return text;
  throw new InvalidArgumentError(`Expected 1 to ${MAX_TEXT_BYTES} bytes.`);
}
