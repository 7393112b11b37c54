import type { Result } from '../errors.ts';
import type { EntityId, Json } from '../model/entities.ts';
import type { Caller, Page, PageQuery } from '../platform.ts';
import type { AlarmInfo, AlarmOriginator, AlarmPropagation, AlarmSeverity, AlarmStatus } from './alarm.ts';

export type AlarmSearchStatus = 'ANY' | 'ACTIVE' | 'CLEARED' | 'ACK' | 'UNACK';

/** An alarm to create (`id` null: or the active one of the originator and type to update), or to update by its id. */
export interface AlarmInput extends Partial<AlarmPropagation> {
  readonly id: EntityId | null;
  readonly originator: AlarmOriginator;
  readonly type: string;
  readonly severity: AlarmSeverity;
  /** Set: acknowledge or clear it as well. Never takes either back. */
  readonly acknowledged: boolean;
  readonly cleared: boolean;
  /** null: as it is. */
  readonly assigneeId: EntityId | null;
  /** Epoch milliseconds; null: as they are, or now. */
  readonly startTs: number | null;
  readonly endTs: number | null;
  readonly ackTs: number | null;
  readonly clearTs: number | null;
  /** null: as they are. */
  readonly details: Json;
}

/** Which alarms; null and empty lists: all. */
export interface AlarmFilter {
  /** Any of them, as far as they do not contradict: ACTIVE with CLEARED asks for nothing. */
  readonly searchStatuses: readonly AlarmSearchStatus[];
  readonly status: AlarmStatus | null;
  readonly severities: readonly AlarmSeverity[];
  readonly types: readonly string[];
  readonly assigneeId: EntityId | null;
  /** Bounds of the creation, epoch milliseconds, inclusive. */
  readonly startTime: number | null;
  readonly endTime: number | null;
}

export interface AlarmListQuery extends PageQuery, AlarmFilter {}

/** The alarms of a tenant; customers see and change those of their devices. thingsboard-server.md, 8.1 */
export interface AlarmService {
  save(caller: Caller, input: AlarmInput): Promise<Result<AlarmInfo>>;
  get(caller: Caller, id: EntityId): Promise<Result<AlarmInfo>>;
  remove(caller: Caller, id: EntityId): Promise<Result<null>>;
  /** `badRequest` the second time. */
  acknowledge(caller: Caller, id: EntityId): Promise<Result<AlarmInfo>>;
  /** `badRequest` the second time. */
  clear(caller: Caller, id: EntityId): Promise<Result<AlarmInfo>>;
  assign(caller: Caller, id: EntityId, userId: EntityId): Promise<Result<AlarmInfo>>;
  unassign(caller: Caller, id: EntityId): Promise<Result<AlarmInfo>>;
  /** All that the caller may see. */
  list(caller: Caller, query: AlarmListQuery): Promise<Result<Page<AlarmInfo>>>;
  ofOriginator(caller: Caller, originator: AlarmOriginator, query: AlarmListQuery): Promise<Result<Page<AlarmInfo>>>;
  /** null: there is no such alarm. */
  highestSeverity(
    caller: Caller,
    originator: AlarmOriginator,
    filter: AlarmFilter,
  ): Promise<Result<AlarmSeverity | null>>;
  /** Types that alarms of the tenant have. */
  types(caller: Caller, query: PageQuery): Promise<Result<Page<string>>>;
}
