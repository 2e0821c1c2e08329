import type { IncomingMessage } from "node:http";
import type { SessionEnd } from "./reconnect-plan.ts";

const MAX_BODY_BYTES = 4096;

/** Reads why an upgrade was refused: the status, the code and sentence of the body, and how long to wait. */
export async function readRefusal(response: IncomingMessage): Promise<SessionEnd> {
  const status = response.statusCode ?? 0;
  const { code, message } = parseBody(await firstBytes(response));
  const told = [code, message].filter((part) => part !== undefined).join(": ");
  const reason = `refused with ${status}${told === "" ? "" : ` ${told}`}`;
  return { kind: "refused", status, reason, retryAfterMs: retryAfterMs(response.headers["retry-after"]) };
}

async function firstBytes(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= MAX_BODY_BYTES) break;
    }
  } catch {
    // A body that breaks off says less; the status is known.
  }
  return Buffer.concat(chunks).toString();
}

function parseBody(text: string): { readonly code?: string | undefined; readonly message?: string | undefined } {
  try {
    const body = JSON.parse(text) as { readonly code?: unknown; readonly message?: unknown } | null;
    return {
      code: typeof body?.code === "string" ? body.code : undefined,
      message: typeof body?.message === "string" ? body.message : undefined,
    };
  } catch {
    return {};
  }
}

function retryAfterMs(header: string | undefined): number | undefined {
  const secs = Number(header);
  return header !== undefined && Number.isFinite(secs) && secs >= 0 ? secs * 1000 : undefined;
}
