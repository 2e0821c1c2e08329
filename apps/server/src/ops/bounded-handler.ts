import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerRequest } from "@connectrpc/connect/protocol";
import { assertJsonBudget, ProtoBudget } from "@pm/proto";
import { OpsService } from "@pm/proto/ops";
import { connectErrorOf } from "./ops-error.ts";
import type { OpsPorts } from "./ops-ports.ts";
import { reportFailure } from "./report-failure.ts";

/** A batch of the largest size that makes sense: base64 makes bytes a third longer, and there is more than payloads. */
const LEAST_BATCH_BYTES = 8 * 1024 * 1024;
/** Of what is not payload in a request. */
const HEAD_BYTES = 64 * 1024;
/** In gRPC: whether it is compressed, and four bytes of length. */
const ENVELOPE_BYTES = 5;
const UTF8 = new TextDecoder();

/**
 * Holds the bodies of a method to a size, and what is in them to a number, before an object is made of anything: small
 * requests must not become gigabytes of objects.
 */
export function bounded(handler: UniversalHandler, ports: OpsPorts): UniversalHandler {
  const maxBytes = maxBodyBytes(handler, ports);
  const budget = new ProtoBudget(handler.method.input);
  const assertWithin = (body: Uint8Array, contentType: string): void => {
    try {
      for (const message of messagesOf(body, contentType)) {
        if (contentType.includes("json")) assertJsonBudget(UTF8.decode(message));
        else budget.assertWithin(message);
      }
    } catch (error) {
      throw connectErrorOf(reportFailure(error, handler.method.name, ports));
    }
  };
  const handle = (request: UniversalServerRequest): ReturnType<UniversalHandler> => {
    const contentType = (request.header.get("content-type") ?? "").toLowerCase();
    const body = boundedBody(request.body as AsyncIterable<Uint8Array>, maxBytes, (whole) =>
      assertWithin(whole, contentType),
    );
    return handler({ ...request, body });
  };
  const { service, method, requestPath, protocolNames, allowedMethods, supportedContentType } = handler;
  return Object.assign(handle, { service, method, requestPath, protocolNames, allowedMethods, supportedContentType });
}

/** A payload may be twice as long in the JSON of a request, where all of it is escaped. */
function maxBodyBytes({ method }: UniversalHandler, { ws }: OpsPorts): number {
  const bytes = 2 * ws.options.maxMessageBytes + HEAD_BYTES;
  return method === OpsService.method.publishBatch ? Math.max(LEAST_BATCH_BYTES, bytes) : bytes;
}

async function* boundedBody(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
  assertWithin: (whole: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new ConnectError(`the body has over ${maxBytes} bytes`, Code.ResourceExhausted);
    chunks.push(chunk);
  }
  const whole = Buffer.concat(chunks);
  assertWithin(whole);
  yield whole;
}

/** The messages of a body: one, or in gRPC each in an envelope. */
function* messagesOf(body: Uint8Array, contentType: string): Generator<Uint8Array> {
  if (!contentType.startsWith("application/grpc")) {
    yield body;
    return;
  }
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let at = 0; at + ENVELOPE_BYTES <= body.length; ) {
    const start = at + ENVELOPE_BYTES;
    at = start + view.getUint32(at + 1);
    yield body.subarray(start, at);
  }
}
