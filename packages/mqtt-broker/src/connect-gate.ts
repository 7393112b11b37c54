import type { Connection } from './connection.ts';
import type { BrokerContext } from './context.ts';
import { TokenBucket } from './rates.ts';
import { WheelTimer } from './timer-wheel.ts';

/** `Connection.gateTicket` besides the second in which it was let in: it waits, or the gate has nothing to do with it. */
const WAITS = -1;
export const NO_TICKET = 0;
/**
 * Let in within one turn of the event loop, so that their CONNECTs do not all come in the same one. Measured with 10,000 Link
 * devices that come back at once: longest turn 99 to 120 ms instead of 270, and the last one online no later.
 */
const ADMITTED_IN_A_TURN = 200;

/** Connections of one listener that wait for their turn. */
class Line {
  readonly waiting = new Set<Connection>();
  readonly #gate: ConnectGate;
  readonly #context: BrokerContext;
  #bucket: TokenBucket | null = null;
  readonly #timer: WheelTimer;

  constructor(gate: ConnectGate, context: BrokerContext) {
    this.#gate = gate;
    this.#context = context;
    this.#timer = new WheelTimer(() => this.goOn());
    this.takeRate();
  }

  /** Begins to count anew at the rate in force. */
  takeRate(): void {
    const { connectsPerSecond } = this.#context.rates;
    const nowMs = this.#context.clock.monotonic();
    this.#bucket = connectsPerSecond === null ? null : new TokenBucket(connectsPerSecond, nowMs);
  }

  /** Is there room, and a place in this second? */
  enter(): boolean {
    return this.#gate.hasRoom && (this.#bucket?.tryTake(this.#context.clock.monotonic()) ?? true);
  }

  /** Lets in whom there is room for, in order. */
  goOn(): void {
    for (const connection of this.waiting) {
      if (!this.enter()) break;
      this.waiting.delete(connection);
      this.#gate.admit(connection);
      connection.begin();
    }
    this.wakeLater();
  }

  wakeLater(): void {
    if (this.waiting.size === 0 || this.#bucket === null) return;
    const nowMs = this.#context.clock.monotonic();
    const waitMs = this.#bucket.waitMs(1, nowMs);
    if (waitMs > 0 && !this.#timer.scheduled) this.#context.wheel.schedule(this.#timer, nowMs + waitMs);
  }
}

/**
 * Bounds the CONNECTs that are looked up at once, and those of a listener in a second: after a restart devices come back
 * all together. Whoever has to wait is not read at all, so its bytes stay with the kernel. reliability.md, promise 8
 */
export class ConnectGate {
  readonly #context: BrokerContext;
  readonly #lines = new Map<string, Line>();
  /** Number of the present second, above 0. */
  #second = 1;
  /** Let in in this second, and their CONNECT has not come yet. Those who are silent for longer do not count any more. */
  #expected = 0;
  #underWay = 0;
  #inThisTurn = 0;

  constructor(context: BrokerContext) {
    this.#context = context;
  }

  get hasRoom(): boolean {
    if (this.#inThisTurn >= ADMITTED_IN_A_TURN) return false;
    return this.#underWay + this.#expected < this.#context.limits.connectsUnderWay;
  }

  /** A connection wants to be read; false: `begin` is called on it when its turn has come. */
  enter(connection: Connection): boolean {
    const { listener } = connection.via;
    let line = this.#lines.get(listener);
    if (line === undefined) {
      line = new Line(this, this.#context);
      this.#lines.set(listener, line);
    }
    if (line.waiting.size === 0 && line.enter()) {
      this.admit(connection);
      return true;
    }
    this.#context.count('connect.delayed');
    connection.gateTicket = WAITS;
    line.waiting.add(connection);
    line.wakeLater();
    return false;
  }

  admit(connection: Connection): void {
    connection.gateTicket = this.#second;
    this.#expected++;
    if (this.#inThisTurn++ > 0) return;
    this.#context.scheduler.endOfTurn(() => {
      this.#inThisTurn = 0;
      this.#goOn();
    });
  }

  /** A CONNECT has come and is looked up. */
  lookUpBegins(connection: Connection): void {
    this.#isExpectedNoMore(connection);
    this.#underWay++;
  }

  /** The look-up is over, whatever came of it. */
  lookUpEnded(): void {
    this.#underWay--;
    this.#goOn();
  }

  /** The connection is gone before its CONNECT came. */
  leave(connection: Connection): void {
    if (connection.gateTicket === WAITS) this.#lines.get(connection.via.listener)?.waiting.delete(connection);
    if (this.#isExpectedNoMore(connection)) this.#goOn();
  }

  #isExpectedNoMore(connection: Connection): boolean {
    const was = connection.gateTicket === this.#second;
    connection.gateTicket = NO_TICKET;
    if (was) this.#expected--;
    return was;
  }

  /** Other rates are in force. */
  ratesChanged(): void {
    for (const line of this.#lines.values()) line.takeRate();
    this.#goOn();
  }

  /** Called once a second. */
  tick(): void {
    this.#second++;
    this.#expected = 0;
    this.#goOn();
  }

  #goOn(): void {
    for (const line of this.#lines.values()) if (line.waiting.size > 0) line.goOn();
  }
}
