import type { TenantContext, TenantId } from "@pm/core";
import { decodeServerFrame, type Encoding, type RecoveryMiss } from "@pm/proto";
import { Outbox, type OutboxLimits, type OutboxOwner, type OutboxSocket } from "../../src/connection/outbox.ts";
import { CatchUp, type CatchUpPorts } from "../../src/fanout/catch-up.ts";
import type { Reader } from "../../src/fanout/subscription.ts";
import type { TurnScheduler } from "../../src/fanout/turn-scheduler.ts";
import { encodeReply, type ReplyBody } from "../../src/wire/reply-encoder.ts";
import { contentStart } from "../../src/wire/websocket-frame.ts";

const LIMITS: OutboxLimits = { highWaterBytes: 1000, maxReplyBytes: 1_000_000, maxReplies: 10_000 };

/** What a reader was told of a discontinuity. */
export interface ToldLag {
  readonly reason: RecoveryMiss;
  readonly missed: number;
  /** Delivery goes on after it. */
  readonly after: number;
}

/** A connection as delivery sees it, with a socket that only counts. */
export class MemoryReader implements Reader, OutboxOwner, OutboxSocket {
  readonly id = "reader";
  readonly context: TenantContext;
  readonly encoding: Encoding = "proto";
  readonly outbox: Outbox;
  readonly catchUp: CatchUp;
  /** Offsets of the publications that were written to it. */
  readonly offsets: number[] = [];
  /** Offsets after which it was told to go on. */
  readonly lagged: number[] = [];
  readonly lags: ToldLag[] = [];
  /** Channels of what was written to it, one for each publication. */
  readonly channels: string[] = [];
  /** Bytes that its socket has not taken. */
  writableLength = 0;
  readonly writableHighWaterMark = 0;
  readonly writableCorked: number = 0;
  tooSlow = 0;
  isStuck = false;
  readonly #scheduler: TurnScheduler;

  constructor(tenant: TenantId, ports: CatchUpPorts) {
    this.#scheduler = ports.scheduler;
    this.context = { tenant, user: "ada", roles: [], grants: undefined, expiresAtMs: Number.MAX_SAFE_INTEGER };
    this.outbox = new Outbox({ encoding: this.encoding, socket: this, limits: LIMITS, owner: this });
    this.catchUp = new CatchUp(this, tenant, ports);
  }

  write(frame: Uint8Array): boolean {
    if (this.isStuck) this.writableLength += frame.byteLength;
    for (const { body } of decodeServerFrame(new Uint8Array(frame.subarray(contentStart(frame))), this.encoding)) {
      if (body.case === "publication") {
        this.offsets.push(Number(body.value.offset));
        this.channels.push(body.value.channel);
      }
      if (body.case === "lagged") {
        const { position, reason, missedCount } = body.value;
        const after = Number(position?.offset);
        this.lagged.push(after);
        this.lags.push({ reason, missed: Number(missedCount), after });
      }
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

  send(body: ReplyBody): void {
    this.outbox.reply(encodeReply(0, body, this.encoding));
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
