import { BenchError } from "../bench-error.ts";
import { channelName, type Dialect } from "../dialect/dialect.ts";
import { DIALECTS } from "../dialect/dialects.ts";
import { LinuxProcessMeter } from "../process/process-meter.ts";
import type { BenchClient, ClientPlan } from "./bench-client.ts";
import { ChannelPublishers, type PublishedChannel, publishedChannel, publishNext } from "./channel-publishers.ts";
import { openClients } from "./connector.ts";
import { DeliveryCounter } from "./delivery-counter.ts";
import type {
  ConnectionPlan,
  GeneratorSetup,
  HandshakePlan,
  PublishPlan,
  WindowPlan,
  WindowSample,
} from "./generator-protocol.ts";
import { HandshakeLoad } from "./handshake-load.ts";
import { MeasuringWindow, type Totals } from "./measuring-window.ts";
import { PublishLoad } from "./publish-load.ts";
import { SleepingLoop, SpinLoop, type TurnLoop, type WorkCounter } from "./turn-loop.ts";

const RECEIVE_BUFFER_BYTES = 256 * 1024;
/** A window with less than this is prolonged: its server may have had no core for a while. */
const LEAST_UNITS = 50;
const OVERTIME_MS = 5_000;

/** All connections of one generator, and the loads that it puts on them. */
export class GeneratorSession implements WorkCounter {
  work = 0;
  readonly #setup: GeneratorSetup;
  readonly #dialect: Dialect;
  readonly #counter: DeliveryCounter;
  readonly #meter: LinuxProcessMeter;
  readonly #receiveBuffer = Buffer.allocUnsafeSlow(RECEIVE_BUFFER_BYTES);
  readonly #subscribers: BenchClient[] = [];
  readonly #publishers: BenchClient[] = [];
  readonly #channels: PublishedChannel[] = [];
  #echoes: ReadonlyMap<BenchClient, PublishedChannel> = new Map();
  #closed = 0;

  constructor(setup: GeneratorSetup) {
    this.#setup = setup;
    this.#dialect = DIALECTS[setup.server];
    this.#counter = new DeliveryCounter(setup.payloadBytes);
    this.#meter = new LinuxProcessMeter(setup.pid);
  }

  /** Opens connections, and resolves when they are ready. */
  async open(plan: ConnectionPlan): Promise<void> {
    const channelOf = (n: number): string | undefined =>
      plan.role === "subscriber" ? channelName(plan.firstChannel + (n % plan.channels)) : undefined;
    const clients = await openClients(plan.count, (n) => this.#clientPlan(n, plan, channelOf(n)), {
      frame: (client, bytes, range) => this.#receive(client, bytes, range),
      closed: () => this.#closed++,
    });
    (plan.role === "subscriber" ? this.#subscribers : this.#publishers).push(...clients);
  }

  /** The first subscribers stop reading. */
  stall(count: number): void {
    for (const client of this.#subscribers.slice(0, count)) client.stall();
  }

  /** Publishes for some time, and says what came of it. */
  async publish(plan: PublishPlan): Promise<WindowSample> {
    const { dialect, payloadBytes } = { dialect: this.#dialect, payloadBytes: this.#setup.payloadBytes };
    while (this.#channels.length < plan.channels) {
      this.#channels.push(publishedChannel(this.#channels.length, { dialect, payloadBytes }));
    }
    const load = new PublishLoad(
      {
        publishers: new ChannelPublishers(this.#channels.slice(0, plan.channels), this.#publishers),
        delivered: () => this.#counter.delivered,
        fanOut: plan.fanOut,
      },
      plan.pace,
      performance.now(),
    );
    this.#counter.sampleEvery = plan.sampleEvery;
    return this.#measure(plan, {
      totals: () => this.#totals(this.#counter.delivered, load.lost),
      turn: (nowMs) => {
        this.work += load.turn(nowMs);
      },
    });
  }

  /** Each subscriber publishes to its own channel whenever the last publication has come back. */
  async echo(plan: WindowPlan): Promise<WindowSample> {
    const form = { dialect: this.#dialect, payloadBytes: this.#setup.payloadBytes };
    this.#echoes = new Map(this.#subscribers.map((client, n) => [client, publishedChannel(n, form)]));
    for (const [client, channel] of this.#echoes) publishNext(channel, client);
    this.#counter.sampleEvery = 1;
    const sample = await this.#measure(plan, {
      totals: () => this.#totals(this.#counter.delivered, 0),
      turn: () => undefined,
    });
    this.#echoes = new Map();
    return sample;
  }

  /** Connects and disconnects until enough handshakes are done. */
  async handshakes(plan: HandshakePlan): Promise<WindowSample> {
    const loop = this.#loop();
    const load = new HandshakeLoad({
      planOf: (n) => this.#clientPlan(n, plan, undefined),
      concurrency: plan.concurrency,
      done: (us) => {
        this.work++;
        if (window.isOpen) window.histogram.record(us);
        else if (load.count >= plan.warmCount) window.open();
      },
    });
    const window = new MeasuringWindow({ meter: this.#meter, loop, totals: () => this.#totals(load.count, 0) });
    load.start();
    await loop.run(() => load.failure === undefined && load.count < plan.warmCount + plan.count);
    load.stop();
    if (load.failure !== undefined) throw BenchError.connectFailed(load.count, plan.count, load.failure.text);
    return window.close();
  }

  #loop(): TurnLoop {
    return this.#setup.manner === "spins" ? new SpinLoop(this) : new SleepingLoop();
  }

  async #measure(plan: WindowPlan, load: MeasuredLoad): Promise<WindowSample> {
    const loop = this.#loop();
    const window = new MeasuringWindow({ meter: this.#meter, loop, totals: load.totals });
    const startMs = performance.now();
    const openMs = startMs + plan.warmSecs * 1000;
    const endMs = openMs + plan.secs * 1000;
    await loop.run((nowMs) => {
      if (!window.isOpen && nowMs >= openMs) {
        window.open();
        this.#counter.histogram = window.histogram;
      }
      load.turn(nowMs);
      return nowMs < endMs || (window.units < LEAST_UNITS && nowMs < endMs + OVERTIME_MS);
    });
    this.#counter.histogram = undefined;
    return window.close();
  }

  #totals(units: number, lost: number): Totals {
    return { units, lost, misordered: this.#counter.misordered, closed: this.#closed };
  }

  #receive(client: BenchClient, bytes: Buffer, range: { readonly start: number; readonly end: number }): void {
    this.work++;
    const count = this.#counter.take(client, bytes, range);
    const echo = this.#echoes.get(client);
    if (echo === undefined) return;
    for (let i = 0; i < count; i++) publishNext(echo, client);
  }

  #clientPlan(
    n: number,
    plan: { readonly tokens: readonly string[]; readonly sources: number },
    channel: string | undefined,
  ): ClientPlan {
    const endpoint = {
      host: "127.0.0.1",
      port: this.#setup.port,
      localAddress: plan.sources > 1 ? `127.0.0.${1 + (n % plan.sources)}` : undefined,
      receiveBuffer: this.#receiveBuffer,
    };
    return { endpoint, dialect: this.#dialect, token: plan.tokens[n % Math.max(1, plan.tokens.length)], channel };
  }
}

/** A load while it is measured. */
interface MeasuredLoad {
  readonly totals: () => Totals;
  readonly turn: (nowMs: number) => void;
}
