import type { EntityId } from '@moorage/core';
import type { PacketListener } from '@moorage/mqtt-broker';
import type { BrokerDeskOptions, DeskLimits, DeskTarget } from './desk-options.ts';
import type { TracedPacket } from './traced-packet.ts';

/** Why a trace has ended. */
export type TraceEnd = 'time' | 'packets' | 'bytes' | 'stopped' | 'failed';

/** How often connections are looked for that the trace has not seen. */
const LOOK_MS = 1_000;

/** Records the packets of some Sessions, both ways, until its time is over or it is full. */
export class PacketTrace {
  readonly id: string;
  readonly tenantId: EntityId;
  readonly target: DeskTarget;
  readonly startedAt: number;
  readonly endsAt: number;
  readonly #options: BrokerDeskOptions;
  readonly #limits: DeskLimits;
  readonly #packets: TracedPacket[] = [];
  readonly #watched = new Map<string, () => void>();
  readonly #timers: (() => void)[] = [];
  readonly #whenEnded: () => void;
  #bytes = 0;
  #endedBy: TraceEnd | null = null;
  #endedAt: number | null = null;

  constructor(
    options: BrokerDeskOptions,
    limits: DeskLimits,
    tenantId: EntityId,
    target: DeskTarget,
    durationMs: number,
    whenEnded: () => void,
  ) {
    this.#options = options;
    this.#limits = limits;
    this.id = options.uuid();
    this.tenantId = tenantId;
    this.target = target;
    this.startedAt = options.clock.now();
    this.endsAt = this.startedAt + durationMs;
    this.#whenEnded = whenEnded;
  }

  get endedBy(): TraceEnd | null {
    return this.#endedBy;
  }

  /** Epoch milliseconds; null: it goes on. */
  get endedAt(): number | null {
    return this.#endedAt;
  }

  get packets(): readonly TracedPacket[] {
    return this.#packets;
  }

  /** `look` gives the keys of connections that are there now, for devices whose Sessions come and go. */
  start(sessionKeys: readonly string[], look: (() => readonly string[]) | null): void {
    const { scheduler } = this.#options;
    this.#watch(sessionKeys);
    this.#timers.push(scheduler.after(this.endsAt - this.startedAt, () => this.end('time')));
    if (look !== null) this.#timers.push(scheduler.every(LOOK_MS, () => this.#watch(look())));
  }

  end(by: TraceEnd): void {
    if (this.#endedBy !== null) return;
    this.#endedBy = by;
    this.#endedAt = this.#options.clock.now();
    for (const stop of [...this.#timers, ...this.#watched.values()]) stop();
    this.#whenEnded();
  }

  #watch(sessionKeys: readonly string[]): void {
    for (const key of sessionKeys) {
      if (this.#watched.has(key) || this.#watched.size >= this.#limits.sessionKeys) continue;
      this.#watched.set(key, this.#options.broker.watchPackets(key, this.#recorder(key)));
    }
  }

  #recorder(sessionKey: string): PacketListener {
    return (connection, direction, bytes) => {
      // Called inside the broker: nothing may be thrown at it.
      try {
        if (this.#endedBy === null) this.#record(sessionKey, connection, direction, bytes);
      } catch (error) {
        this.#options.fault(error);
        this.end('failed');
      }
    };
  }

  #record(sessionKey: string, ...[connection, direction, bytes]: Parameters<PacketListener>): void {
    const { broker, clock, describePacket } = this.#options;
    // The connection is given its Client Identifier behind CONNACK.
    const clientId = connection.clientId || (broker.session(sessionKey)?.clientId ?? '');
    const summary = describePacket(connection.level, bytes);
    const packet: TracedPacket = { ts: clock.now(), direction, clientId, connection: connection.number, ...summary };
    this.#packets.push(packet);
    this.#bytes += JSON.stringify(packet).length;
    if (this.#packets.length >= this.#limits.tracePackets) this.end('packets');
    else if (this.#bytes >= this.#limits.traceBytes) this.end('bytes');
  }
}
