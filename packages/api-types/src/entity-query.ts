import { type Static, Type } from 'typebox';
import { type ApiJsonObject, freeJsonObject, named } from './building-blocks.ts';
import { EntityId } from './entity-id.ts';
import { pageOf } from './page.ts';

const freeObjects = (description: string) =>
  Type.Unsafe<readonly ApiJsonObject[] | null>({
    type: ['array', 'null'],
    items: { type: 'object', additionalProperties: true },
    description,
  });

const selection = {
  entityFilter: freeJsonObject({
    description: 'By `type`: singleEntity, entityList, entityName, entityType, deviceType, assetType.',
  }),
  keyFilters: Type.Optional(
    freeObjects('`{"key":{"type","key"},"valueType","predicate"}`; predicates STRING, NUMERIC, BOOLEAN, COMPLEX.'),
  ),
  keyFiltersOperation: Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'], examples: ['AND', 'OR'] })),
};

/** Which entities are meant. thingsboard-server.md, 7.5 */
export const EntityCountQuery = named('EntityCountQuery', Type.Object(selection));
export type EntityCountQuery = Static<typeof EntityCountQuery>;

/** Which entities, in which order, and what is shown of them. thingsboard-server.md, 7.5 */
export const EntityDataQuery = named(
  'EntityDataQuery',
  Type.Object(
    {
      ...selection,
      pageLink: freeJsonObject({
        description: '`{"pageSize","page","textSearch","sortOrder":{"key":{"type","key"},"direction"}}`',
      }),
      entityFields: Type.Optional(freeObjects('`{"type":"ENTITY_FIELD","key":"name"}`')),
      latestValues: Type.Optional(freeObjects('`{"type":"TIME_SERIES","key":"temperature"}`; also attributes.')),
    },
    {
      examples: [
        {
          entityFilter: { type: 'deviceType', deviceTypes: ['default'], deviceNameFilter: '' },
          pageLink: {
            pageSize: 10,
            page: 0,
            sortOrder: { key: { type: 'ENTITY_FIELD', key: 'name' }, direction: 'ASC' },
          },
          entityFields: [{ type: 'ENTITY_FIELD', key: 'name' }],
          latestValues: [{ type: 'TIME_SERIES', key: 'temperature' }],
          keyFilters: [
            {
              key: { type: 'TIME_SERIES', key: 'temperature' },
              valueType: 'NUMERIC',
              predicate: { type: 'NUMERIC', operation: 'GREATER', value: { defaultValue: 20 } },
            },
          ],
        },
      ],
    },
  ),
);
export type EntityDataQuery = Static<typeof EntityDataQuery>;

/** One entity with present values by type and key. thingsboard-server.md, 7.4 */
export const EntityData = named(
  'EntityData',
  Type.Object({
    entityId: Type.Unsafe<EntityId>(Type.Ref(EntityId.$id)),
    latest: freeJsonObject({ description: '`{"TIME_SERIES":{"temperature":{"ts":1700000000000,"value":"22.5"}}}`' }),
    timeseries: freeJsonObject(),
    aggLatest: freeJsonObject(),
  }),
);
export type EntityData = Static<typeof EntityData>;

export const EntityDataPage = pageOf('EntityDataPage', Type.Unsafe<EntityData>(Type.Ref(EntityData.$id)));
export type EntityDataPage = Static<typeof EntityDataPage>;

/** Keys in use by the entities of a query. */
export const EntityKeyNames = named(
  'EntityKeyNames',
  Type.Object({
    entityTypes: Type.Array(Type.String()),
    timeseries: Type.Array(Type.String()),
    attribute: Type.Array(Type.String()),
  }),
);
export type EntityKeyNames = Static<typeof EntityKeyNames>;
