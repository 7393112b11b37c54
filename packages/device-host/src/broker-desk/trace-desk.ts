import { type EntityId, type Result, refuse, success } from '@moorage/core';
import type { BrokerDeskOptions, DeskLimits, DeskTarget } from './desk-options.ts';
import { type ListPage, PageCollector } from './list-page.ts';
import { PacketTrace, type TraceEnd } from './packet-trace.ts';
import type { SessionTargets } from './session-targets.ts';
import type { TracedPacket } from './traced-packet.ts';

/** What is told about a trace. Times are epoch milliseconds. */
export interface TraceInfo {
  readonly id: string;
  /** One of both is null. */
  readonly deviceId: EntityId | null;
  readonly clientId: string | null;
  readonly startedAt: number;
  /** When it ends by itself. */
  readonly endsAt: number;
  /** null: it goes on. */
  readonly endedAt: number | null;
  readonly endedBy: TraceEnd | null;
  readonly packets: number;
}

const NOBODY =
  'No client with this Client Identifier is known to the broker. Let it connect once, or name the device instead.';
const SERVER_BUSY = 'Too many traces are under way on this server; end one or wait.';
const TENANT_BUSY = 'Too many traces of this tenant are under way; end one or wait.';

/** Keeps the traces of all tenants, bounded in number, size and time. */
export class TraceDesk {
  readonly #options: BrokerDeskOptions;
  readonly #limits: DeskLimits;
  readonly #targets: SessionTargets;
  /** The oldest first. */
  readonly #traces = new Map<string, PacketTrace>();
  readonly #forgetting = new Map<string, () => void>();

  constructor(options: BrokerDeskOptions, limits: DeskLimits, targets: SessionTargets) {
    this.#options = options;
    this.#limits = limits;
    this.#targets = targets;
  }

  async start(tenantId: EntityId, target: DeskTarget, durationMs: number): Promise<Result<TraceInfo>> {
    const keys = await this.#targets.keysOf(tenantId, target);
    if (keys.length === 0 && !('device' in target)) return refuse('notFound', NOBODY);
    const running = [...this.#traces.values()].filter(({ endedBy }) => endedBy === null);
    if (running.length >= this.#limits.tracesRunning) return refuse('tooManyRequests', SERVER_BUSY);
    const ofTenant = running.filter((trace) => trace.tenantId === tenantId);
    if (ofTenant.length >= this.#limits.tenantTracesRunning) return refuse('tooManyRequests', TENANT_BUSY);
    const trace = new PacketTrace(this.#options, this.#limits, tenantId, target, durationMs, () => {
      this.#forgetLater(trace);
    });
    this.#makeRoom(tenantId);
    this.#traces.set(trace.id, trace);
    trace.start(keys, 'device' in target ? () => this.#targets.connectedKeysOf(target.device) : null);
    return success(infoOf(trace));
  }

  /** The newest first. */
  list(tenantId: EntityId): readonly TraceInfo[] {
    return this.#of(tenantId).map(infoOf).toReversed();
  }

  /** A trace and a page of its packets, the oldest first. */
  read(
    tenantId: EntityId,
    id: string,
    query: { readonly pageSize: number; readonly page: number },
  ): Result<{ readonly trace: TraceInfo; readonly packets: ListPage<TracedPacket> }> {
    const trace = this.#traces.get(id);
    if (trace === undefined || trace.tenantId !== tenantId) return refuse('notFound');
    const collector = new PageCollector<TracedPacket>({ ...query, textSearch: null });
    for (const packet of trace.packets) collector.offer(() => packet);
    return success({ trace: infoOf(trace), packets: collector.page(true) });
  }

  /** Ends a trace and forgets what it has recorded. */
  remove(tenantId: EntityId, id: string): Result<null> {
    const trace = this.#traces.get(id);
    if (trace === undefined || trace.tenantId !== tenantId) return refuse('notFound');
    this.#forget(trace);
    return success(null);
  }

  close(): void {
    for (const trace of [...this.#traces.values()]) this.#forget(trace);
  }

  #of(tenantId: EntityId): PacketTrace[] {
    return [...this.#traces.values()].filter((trace) => trace.tenantId === tenantId);
  }

  #makeRoom(tenantId: EntityId): void {
    const all = this.#of(tenantId);
    const oldest = all.find(({ endedBy }) => endedBy !== null);
    if (all.length >= this.#limits.tenantTraces && oldest !== undefined) this.#forget(oldest);
  }

  #forgetLater(trace: PacketTrace): void {
    const { traceKeptMs } = this.#limits;
    this.#forgetting.set(
      trace.id,
      this.#options.scheduler.after(traceKeptMs, () => this.#forget(trace)),
    );
  }

  #forget(trace: PacketTrace): void {
    trace.end('stopped');
    this.#traces.delete(trace.id);
    this.#forgetting.get(trace.id)?.();
    this.#forgetting.delete(trace.id);
  }
}

function infoOf(trace: PacketTrace): TraceInfo {
  const { id, target, startedAt, endsAt, endedAt, endedBy, packets } = trace;
  const deviceId = 'device' in target ? target.device.id : null;
  const clientId = 'device' in target ? null : target.clientId;
  return { id, deviceId, clientId, startedAt, endsAt, endedAt, endedBy, packets: packets.length };
}
