import type { ServiceImpl } from "@connectrpc/connect";
import type { OpsService, PublishRequest as PublishMessage } from "@pm/proto/ops";
import type { AppendResult } from "@pm/ws";
import { OpsInputError } from "./ops-error.ts";
import type { OpsPorts } from "./ops-ports.ts";
import { type CheckedPublication, checkPublication } from "./publish-request.ts";
import { reportFailure } from "./report-failure.ts";

type PublishMethods = Pick<ServiceImpl<typeof OpsService>, "publish" | "publishBatch">;

/** Publications of one batch. */
const MAX_BATCH = 256;

/** Publishing for backends. Where tenants are validated, the tenant has to be active. */
export function publishMethods(ports: OpsPorts): PublishMethods {
  return {
    publish: async (request) => publishedMessage(await append(await admitted(request, ports), ports)),

    async publishBatch({ publications }) {
      if (publications.length > MAX_BATCH) {
        throw OpsInputError.of("publications", `has ${publications.length} elements (at most ${MAX_BATCH})`);
      }
      const checked = await Promise.allSettled(publications.map((publication) => admitted(publication, ports)));
      // All appends begin in one turn and in order, which is the order in which they take effect.
      const appended = await Promise.allSettled(checked.map((one) => appendChecked(one, ports)));
      return { outcomes: appended.map((one) => ({ outcome: outcomeOf(one, ports) })) };
    },
  };
}

async function admitted(message: PublishMessage, ports: OpsPorts): Promise<CheckedPublication> {
  const publication = checkPublication(message, ports.ws.options.maxMessageBytes);
  await ports.admission?.assertActive(publication.target);
  return publication;
}

async function append({ target, request }: CheckedPublication, { ws }: OpsPorts): Promise<AppendResult> {
  return ws.publish(target, request);
}

function appendChecked(checked: PromiseSettledResult<CheckedPublication>, ports: OpsPorts): Promise<AppendResult> {
  if (checked.status === "fulfilled") return append(checked.value, ports);
  return Promise.reject(checked.reason);
}

function publishedMessage({ position, duplicate, messageId }: AppendResult) {
  return { position: { ...position, offset: BigInt(position.offset) }, duplicate, messageId };
}

function outcomeOf(appended: PromiseSettledResult<AppendResult>, ports: OpsPorts) {
  return appended.status === "fulfilled"
    ? ({ case: "published", value: publishedMessage(appended.value) } as const)
    : ({ case: "error", value: reportFailure(appended.reason, "PublishBatch", ports) } as const);
}
