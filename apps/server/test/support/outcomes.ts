import type { Command, ProtocolClient } from "./protocol-client.ts";

/** Sends commands in one frame and says what answered each: the kind of the reply, or the code of an error. */
export async function outcomes(client: ProtocolClient, ...commands: Command[]): Promise<(string | undefined)[]> {
  const ids = client.send(...commands);
  const replies = await Promise.all(ids.map((id) => client.reply(id)));
  return replies.map((body) => (body.case === "error" ? body.value.code : body.case));
}

/** The same thing so many times. */
export function times<T>(count: number, one: T): T[] {
  return Array.from({ length: count }, () => one);
}
