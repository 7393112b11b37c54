import type { EntityId, Result } from '@moorage/core';
import { BanDesk, type BanLine } from './ban-desk.ts';
import { BrokerLists, type RetainedLine, type SessionLine, type SubscriptionLine } from './broker-lists.ts';
import {
  type BrokerDeskOptions,
  DEFAULT_DESK_LIMITS,
  type DeskDevice,
  type DeskLimits,
  type DeskTarget,
} from './desk-options.ts';
import type { ListPage, ListQuery } from './list-page.ts';
import { type RawMessage, type RawOutcome, RawPublisher } from './raw-publisher.ts';
import { SessionTargets } from './session-targets.ts';
import { TraceDesk, type TraceInfo } from './trace-desk.ts';
import type { TracedPacket } from './traced-packet.ts';

/**
 * What operators see and do of the broker, one tenant apart from the other. Who may call is decided before; a device that
 * is named has been found to be the caller's. api-additions.md, 3
 */
export class BrokerDesk {
  readonly #lists: BrokerLists;
  readonly #traces: TraceDesk;
  readonly #bans: BanDesk;
  readonly #publisher: RawPublisher;

  constructor(options: BrokerDeskOptions) {
    const limits: DeskLimits = { ...DEFAULT_DESK_LIMITS, ...options.limits };
    const targets = new SessionTargets(options, limits);
    this.#lists = new BrokerLists(options, limits);
    this.#traces = new TraceDesk(options, limits, targets);
    this.#bans = new BanDesk(options, limits, targets);
    this.#publisher = new RawPublisher(options, limits, targets);
  }

  /** Ends the traces. */
  close(): void {
    this.#traces.close();
  }

  sessions(tenantId: EntityId, query: ListQuery): Promise<Result<ListPage<SessionLine>>> {
    return this.#lists.sessions(tenantId, query);
  }

  subscriptions(tenantId: EntityId, query: ListQuery): Promise<Result<ListPage<SubscriptionLine>>> {
    return this.#lists.subscriptions(tenantId, query);
  }

  retained(tenantId: EntityId, topicFilter: string, query: ListQuery): Promise<Result<ListPage<RetainedLine>>> {
    return this.#lists.retained(tenantId, topicFilter, query);
  }

  startTrace(tenantId: EntityId, target: DeskTarget, durationMs: number): Promise<Result<TraceInfo>> {
    return this.#traces.start(tenantId, target, durationMs);
  }

  traces(tenantId: EntityId): readonly TraceInfo[] {
    return this.#traces.list(tenantId);
  }

  trace(
    tenantId: EntityId,
    id: string,
    query: { readonly pageSize: number; readonly page: number },
  ): Result<{ readonly trace: TraceInfo; readonly packets: ListPage<TracedPacket> }> {
    return this.#traces.read(tenantId, id, query);
  }

  removeTrace(tenantId: EntityId, id: string): Result<null> {
    return this.#traces.remove(tenantId, id);
  }

  ban(tenantId: EntityId, target: DeskTarget, durationMs: number): Promise<Result<readonly BanLine[]>> {
    return this.#bans.ban(tenantId, target, durationMs);
  }

  bans(tenantId: EntityId, query: ListQuery): ListPage<BanLine> {
    return this.#bans.list(tenantId, query);
  }

  liftBan(tenantId: EntityId, id: string): Result<null> {
    return this.#bans.lift(tenantId, id);
  }

  publish(device: DeskDevice, message: RawMessage): Promise<RawOutcome> {
    return this.#publisher.publish(device, message);
  }
}
