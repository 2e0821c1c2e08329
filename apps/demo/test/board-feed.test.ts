import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { PmClient } from "@pm/client";
import type { BoardCommand } from "../src/board/board-command.ts";
import { type BoardState, SNAPSHOT_EVERY } from "../src/board/board-state.ts";
import { TENANTS } from "../src/board/tenants.ts";
import { BoardFeed } from "../src/reader/board-feed.ts";
import { DemoServer } from "./support/demo-server.ts";

const [{ seed }] = TENANTS;
const PATIENCE = { timeout: 15_000 };

/** A board that is kept up, and what it was told. */
interface Follower {
  readonly client: PmClient;
  readonly feed: BoardFeed;
  readonly offsets: number[];
  state: BoardState | undefined;
  restored: number;
}

describe("BoardFeed", () => {
  let server: DemoServer;
  const clients: PmClient[] = [];

  beforeEach(async () => {
    server = await DemoServer.start();
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
    await server[Symbol.asyncDispose]();
  });

  async function follow(user: string): Promise<Follower> {
    const client = server.client("acme", user);
    clients.push(client);
    const feed = new BoardFeed(client.channel("board:main"), seed, {
      onEntry: ({ offset }, state) => {
        follower.offsets.push(offset);
        follower.state = state;
      },
      onRestored: (_epoch, state) => {
        follower.restored++;
        follower.state = state;
      },
      onError: (error) => {
        throw error;
      },
    });
    const follower: Follower = { client, feed, offsets: [], state: undefined, restored: 0 };
    await client.connect();
    await feed.start();
    return follower;
  }

  it("given an empty log when a board is read then it is the seed", async () => {
    const first = await follow("first");
    expect(first.state).toEqual({ board: seed, offset: 0, snapshotAt: 0 });
  });

  it("given a board that is followed when another publishes then both are the same", async () => {
    const first = await follow("first");
    const second = await follow("second");
    await publish(first, 9);
    await vi.waitFor(() => expect(second.state?.offset).toBe(9), PATIENCE);
    expect(second.state).toEqual(first.state);
    expect(second.offsets).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("given a long log when it is read anew then it is read from a snapshot, to the same board", async () => {
    const first = await follow("first");
    await publish(first, 3 * SNAPSHOT_EVERY);
    await vi.waitFor(() => expect(first.state?.snapshotAt).toBeGreaterThan(2 * SNAPSHOT_EVERY), PATIENCE);
    const late = await follow("late");
    await vi.waitFor(() => expect(late.state?.offset).toBe(first.state?.offset), PATIENCE);
    expect(late.state).toEqual(first.state);
  });

  it("given publications while it is read when it is restored then none is missing and none is there twice", async () => {
    const first = await follow("first");
    const publishing = publish(first, 120);
    const late = await follow("late");
    await publishing;
    await vi.waitFor(() => expect(late.state?.offset).toBeGreaterThanOrEqual(first.state?.offset ?? 0), PATIENCE);
    expect(late.state?.board).toEqual(first.state?.board);
    expect(late.restored).toBe(1);
    const [begin = 0] = late.offsets;
    expect(late.offsets).toEqual(late.offsets.map((_, index) => begin + index));
  });

  it("given a server that starts again with empty logs when a board is followed then it is read anew, and goes on", async () => {
    const first = await follow("first");
    await publish(first, 3);
    await vi.waitFor(() => expect(first.state?.offset).toBe(3), PATIENCE);
    const { port } = server;
    await server[Symbol.asyncDispose]();
    server = await DemoServer.start(port);
    await vi.waitFor(() => expect(first.restored).toBe(2), PATIENCE);
    expect(first.state).toEqual({ board: seed, offset: 0, snapshotAt: 0 });
    await publish(first, 1);
    await vi.waitFor(() => expect(first.state?.board.doing.map(({ id }) => id)).toContain("a1"), PATIENCE);
  });
});

/** Moves cards, one after the other. */
async function publish({ feed }: Follower, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const column = index % 2 === 0 ? "doing" : "done";
    const command: BoardCommand = { kind: "card.moved", card: `a${(index % 3) + 1}`, column, before: undefined };
    await feed.publish({ id: crypto.randomUUID(), command });
  }
}
