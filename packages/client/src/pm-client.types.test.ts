import { StreamPositionSchema, type StreamPosition as StreamPositionMessage } from "@pm/proto";
import { describe, expect, expectTypeOf, it } from "vitest";
import { protobuf } from "./payload/protobuf.ts";
import { bytes, type Channel, json, PmClient, type Publication } from "./index.ts";

interface Task {
  readonly id: number;
  readonly done: boolean;
}

const task = json((value) => value as Task);
const client = new PmClient({ url: "ws://server/ws", getToken: () => "token" });

// The compiler is the test here: each marked line has to be an error.
function typedByFunction(): void {
  const channel = client.channel("task:1", { payload: task });
  expectTypeOf(channel).toEqualTypeOf<Channel<Task>>();
  channel.on("publication", (publication) => expectTypeOf(publication).toEqualTypeOf<Publication<Task>>());
  void channel.publish({ id: 1, done: true });
  // @ts-expect-error: a field is missing
  void channel.publish({ id: 1 });
  // @ts-expect-error: a field has another type
  void channel.publish({ id: "1", done: true });
  // @ts-expect-error: bytes are no task
  void channel.publish(new Uint8Array());
  // @ts-expect-error: a task has no such field
  channel.on("publication", ({ data }) => data.title);
  // @ts-expect-error: a channel has no such event
  channel.on("message", () => undefined);
}

function typedBySchema(): void {
  const channel = client.channel("position:1", { payload: protobuf(StreamPositionSchema) });
  channel.on("publication", ({ data }) => expectTypeOf(data).toEqualTypeOf<StreamPositionMessage>());
  void channel.publish({ epoch: "e", offset: 1n });
  // @ts-expect-error: 64-bit numbers of protobuf are bigint
  void channel.publish({ epoch: "e", offset: 1 });
  // @ts-expect-error: the message has no such field
  void channel.publish({ title: "e" });
}

function typedByBytes(): void {
  const channel = client.channel("raw:1", { payload: bytes });
  channel.on("publication", ({ data }) => expectTypeOf(data).toEqualTypeOf<Uint8Array<ArrayBuffer>>());
  void channel.publish(Buffer.from("x"));
  // @ts-expect-error: text is no bytes
  void channel.publish("x");
}

async function untyped(): Promise<void> {
  const channel = client.channel("any:1");
  expectTypeOf(channel).toEqualTypeOf<Channel>();
  void channel.publish({ anything: true });
  // @ts-expect-error: what is not known cannot be used before it was looked at
  channel.on("publication", ({ data }) => data.length);
  for await (const publication of client.channel("task:1", { payload: task })) {
    expectTypeOf(publication.data).toEqualTypeOf<Task>();
    // @ts-expect-error: what was published does not change
    publication.data = { id: 1, done: true };
  }
  const page = await client.channel("task:1", { payload: task }).history();
  expectTypeOf(page.publications).toEqualTypeOf<readonly Publication<Task>[]>();
}

function states(): void {
  client.on("state", (state) => {
    // @ts-expect-error: only a stopped client has an error
    void state.error;
    if (state.kind === "stopped") void state.error.code;
  });
  // @ts-expect-error: without a way to get tokens there is no client
  void new PmClient({ url: "ws://server/ws" });
}

describe("the types", () => {
  it("given this file, when it compiles, then typed channels are typed from publish to the loop", () => {
    expect([typedByFunction, typedBySchema, typedByBytes, untyped, states]).toHaveLength(5);
  });
});
