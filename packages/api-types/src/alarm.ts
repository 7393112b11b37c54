import { type Static, Type } from 'typebox';
import {
  type ApiJson,
  epochMs,
  named,
  nullableInteger,
  nullableRefTo,
  nullableText,
  refTo,
} from './building-blocks.ts';
import { EntityId, EntityIdInput, Uuid } from './entity-id.ts';
import { PageLinkProperties, pageOf } from './page.ts';

export const ALARM_SEVERITY_NAMES = ['CRITICAL', 'MAJOR', 'MINOR', 'WARNING', 'INDETERMINATE'] as const;
export const ALARM_STATUS_NAMES = ['ACTIVE_UNACK', 'ACTIVE_ACK', 'CLEARED_UNACK', 'CLEARED_ACK'] as const;
export const ALARM_SEARCH_STATUSES = ['ANY', 'ACTIVE', 'CLEARED', 'ACK', 'UNACK'] as const;

const details = Type.Unsafe<ApiJson>({ description: 'Any JSON; rules put their text into `data`.' });
const members = {
  id: refTo(EntityId),
  createdTime: epochMs(),
  tenantId: refTo(EntityId),
  customerId: refTo(EntityId),
  name: Type.String({ description: 'The type.' }),
  type: Type.String(),
  originator: refTo(EntityId),
  severity: Type.Enum([...ALARM_SEVERITY_NAMES]),
  acknowledged: Type.Boolean(),
  cleared: Type.Boolean(),
  status: Type.Enum([...ALARM_STATUS_NAMES], { description: 'Follows from `acknowledged` and `cleared`.' }),
  assigneeId: nullableRefTo(EntityId),
  startTs: epochMs(),
  endTs: epochMs(),
  ackTs: epochMs('Epoch milliseconds; 0: not yet.'),
  clearTs: epochMs('Epoch milliseconds; 0: not yet.'),
  assignTs: epochMs('Epoch milliseconds; 0: to nobody.'),
  details,
  propagate: Type.Boolean(),
  propagateToOwner: Type.Boolean(),
  propagateToTenant: Type.Boolean(),
  propagateRelationTypes: Type.Array(Type.String()),
};

/** thingsboard-server.md, 8.1 */
export const Alarm = named('Alarm', Type.Object(members));
export type Alarm = Static<typeof Alarm>;

export const AlarmAssignee = named(
  'AlarmAssignee',
  Type.Object({
    id: refTo(EntityId),
    firstName: nullableText(),
    lastName: nullableText(),
    email: Type.String(),
  }),
);
export type AlarmAssignee = Static<typeof AlarmAssignee>;

/** An alarm with what lists show beside it. */
export const AlarmInfo = named(
  'AlarmInfo',
  Type.Object({
    ...members,
    originatorName: nullableText(),
    originatorLabel: nullableText(),
    originatorDisplayName: nullableText({ description: 'The label, else the name.' }),
    assignee: nullableRefTo(AlarmAssignee),
  }),
);
export type AlarmInfo = Static<typeof AlarmInfo>;

export const AlarmInfoPage = pageOf('AlarmInfoPage', refTo(AlarmInfo));
export type AlarmInfoPage = Static<typeof AlarmInfoPage>;

/** A type that alarms of the tenant have. */
export const AlarmType = named(
  'AlarmType',
  Type.Object({ tenantId: refTo(EntityId), entityType: Type.Literal('ALARM'), type: Type.String() }),
);
export type AlarmType = Static<typeof AlarmType>;

export const AlarmTypePage = pageOf('AlarmTypePage', refTo(AlarmType));
export type AlarmTypePage = Static<typeof AlarmTypePage>;

const time = Type.Optional(
  nullableInteger({ description: 'Epoch milliseconds; 0, null or left out: as it is, or now.' }),
);
const flag = Type.Optional(Type.Unsafe<boolean | null>({ type: ['boolean', 'null'] }));

/**
 * An alarm to create, or to update: by `id`, else the one of the same originator and type that is not cleared. Further
 * members are ignored.
 */
export const AlarmInput = named(
  'AlarmInput',
  Type.Object({
    id: Type.Optional(nullableRefTo(EntityIdInput)),
    originator: refTo(EntityIdInput),
    type: Type.String({ maxLength: 255 }),
    severity: Type.Enum([...ALARM_SEVERITY_NAMES]),
    acknowledged: flag,
    cleared: flag,
    assigneeId: Type.Optional(nullableRefTo(EntityIdInput)),
    startTs: time,
    endTs: time,
    ackTs: time,
    clearTs: time,
    details: Type.Optional(details),
    propagate: flag,
    propagateToOwner: flag,
    propagateToTenant: flag,
    propagateRelationTypes: Type.Optional(
      Type.Unsafe<readonly string[] | null>({ type: ['array', 'null'], items: { type: 'string', maxLength: 255 } }),
    ),
  }),
);
export type AlarmInput = Static<typeof AlarmInput>;

const list = (description: string) =>
  Type.Optional(
    Type.Unsafe<string | readonly string[]>({
      anyOf: [
        { type: 'string', maxLength: 30_000 },
        { type: 'array', items: { type: 'string', maxLength: 255 }, maxItems: 100 },
      ],
      description: `${description} Comma-separated or repeated; left out: all.`,
    }),
  );
const ranges = {
  startTime: Type.Optional(Type.Integer({ minimum: 0, description: 'Created at or after, epoch milliseconds.' })),
  endTime: Type.Optional(Type.Integer({ minimum: 0, description: 'Created at or before, epoch milliseconds.' })),
  assigneeId: Type.Optional(Uuid),
};
const searchStatus = Type.Optional(Type.Enum([...ALARM_SEARCH_STATUSES]));
const status = Type.Optional(Type.Enum([...ALARM_STATUS_NAMES], { description: 'Not together with `searchStatus`.' }));

export const AlarmListQuery = Type.Object({
  ...PageLinkProperties,
  ...ranges,
  searchStatus,
  status,
  fetchOriginator: Type.Optional(Type.Boolean({ description: 'Of no effect: the names are always there.' })),
});
export type AlarmListQuery = Static<typeof AlarmListQuery>;

export const AlarmListV2Query = Type.Object({
  ...PageLinkProperties,
  ...ranges,
  statusList: list(`Of ${ALARM_SEARCH_STATUSES.join(', ')}.`),
  severityList: list(`Of ${ALARM_SEVERITY_NAMES.join(', ')}.`),
  typeList: list('Types.'),
});
export type AlarmListV2Query = Static<typeof AlarmListV2Query>;

export const HighestSeverityQuery = Type.Object({ searchStatus, status, assigneeId: Type.Optional(Uuid) });
export type HighestSeverityQuery = Static<typeof HighestSeverityQuery>;
