import type { TenantId } from "@pm/core";
import { decodeServerFrame, type Encoding } from "@pm/proto";
import { Outbox, type OutboxLimits, type OutboxOwner, type OutboxSocket } from "../../src/connection/outbox.ts";
import { CatchUp, type CatchUpPorts } from "../../src/fanout/catch-up.ts";
import type { Reader } from "../../src/fanout/subscription.ts";
import type { TurnScheduler } from "../../src/fanout/turn-scheduler.ts";

const LIMITS: OutboxLimits = { highWaterBytes: 1000, maxReplyBytes: 1_000_000, maxReplies: 10_000 };

/** A connection as delivery sees it, with a socket that only counts. */
export class MemoryReader implements Reader, OutboxOwner, OutboxSocket {
  readonly encoding: Encoding = "proto";
  readonly outbox: Outbox;
  readonly catchUp: CatchUp;
  /** Offsets of the publications that were written to it. */
  readonly offsets: number[] = [];
  /** Offsets after which it was told to go on. */
  readonly lagged: number[] = [];
  /** Bytes that its socket has not taken. */
  writableLength = 0;
  readonly writableCorked: number = 0;
  tooSlow = 0;
  isStuck = false;
  readonly #scheduler: TurnScheduler;

  constructor(tenant: TenantId, ports: CatchUpPorts) {
    this.#scheduler = ports.scheduler;
    this.outbox = new Outbox({ encoding: this.encoding, socket: this, limits: LIMITS, owner: this });
    this.catchUp = new CatchUp(this, tenant, ports);
  }

  write(frame: Uint8Array): boolean {
    if (this.isStuck) this.writableLength += frame.byteLength;
    for (const { body } of decodeServerFrame(contentOf(frame), this.encoding)) {
      if (body.case === "publication") this.offsets.push(Number(body.value.offset));
      if (body.case === "lagged") this.lagged.push(Number(body.value.position?.offset));
    }
    return !this.isStuck;
  }

  /** The socket takes all that it holds. */
  drain(): void {
    this.isStuck = false;
    this.writableLength = 0;
    this.outbox.drained();
    this.catchUp.wake();
  }

  onDirty(outbox: Outbox): void {
    this.#scheduler.markDirty(outbox);
  }

  onReplyOverflow(): void {
    throw new RangeError("more replies than may wait");
  }

  onTooSlow(): void {
    this.tooSlow++;
  }
}

/** What is behind the header of an unmasked frame. */
function contentOf(frame: Uint8Array): Uint8Array {
  const length = frame[1] ?? 0;
  return new Uint8Array(frame.subarray(length < 126 ? 2 : length === 126 ? 4 : 10));
}
