/** What a fetch may take. */
export interface FetchLimits {
  readonly maxBytes: number;
  /** Ends the fetch when it aborts. */
  readonly signal: AbortSignal;
}

/**
 * The body of a GET that answers 200. Redirects are not followed, and no more than `maxBytes` are ever held.
 * @throws Error that says what was wrong
 */
export async function fetchBytes(url: URL, limits: FetchLimits): Promise<Uint8Array> {
  const response = await fetch(url, {
    signal: limits.signal,
    redirect: "error",
    headers: { accept: "application/jwk-set+json, application/json", "accept-encoding": "identity" },
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`status ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > limits.maxBytes) throw new Error(`more than ${limits.maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
