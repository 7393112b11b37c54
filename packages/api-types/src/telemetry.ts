import { type Static, Type } from 'typebox';
import { type ApiJson, named } from './building-blocks.ts';

const anyValue = (description: string) => Type.Unsafe<ApiJson>({ description });

/** Points by key. thingsboard-server.md, 3.2 */
export const SeriesValues = named(
  'SeriesValues',
  Type.Unsafe<Readonly<Record<string, readonly { readonly ts: number; readonly value: ApiJson }[]>>>({
    type: 'object',
    additionalProperties: {
      type: 'array',
      items: {
        type: 'object',
        required: ['ts', 'value'],
        properties: {
          ts: { type: 'integer' },
          value: { description: 'Text; with useStrictDataTypes the native type. Null: no data.' },
        },
      },
    },
    examples: [{ temperature: [{ ts: 1700000000000, value: '22.5' }] }],
  }),
);
export type SeriesValues = Static<typeof SeriesValues>;

/** thingsboard-server.md, 3.1 */
export const AttributeValue = named(
  'AttributeValue',
  Type.Object({
    lastUpdateTs: Type.Integer(),
    key: Type.String(),
    value: anyValue('In its native type.'),
  }),
);
export type AttributeValue = Static<typeof AttributeValue>;

/** Names of keys. */
export const KeyNames = named('KeyNames', Type.Array(Type.String()));
export type KeyNames = Static<typeof KeyNames>;

/** `{k:v}`, `{"ts":n,"values":{k:v}}`, or an array of either. thingsboard-server.md, 3.3 */
export const SeriesInput = named(
  'SeriesInput',
  Type.Unsafe<ApiJson>({
    anyOf: [
      { type: 'object', additionalProperties: true },
      { type: 'array', items: { type: 'object', additionalProperties: true } },
    ],
    examples: [{ temperature: 22.5 }, { ts: 1700000000000, values: { temperature: 22.5 } }],
  }),
);

/** One object of key and value. */
export const AttributesInput = named(
  'AttributesInput',
  Type.Unsafe<ApiJson>({
    type: 'object',
    additionalProperties: true,
    minProperties: 1,
    examples: [{ targetTemperature: 21, mode: 'eco' }],
  }),
);

const keys = Type.Optional(
  Type.Unsafe<string | string[]>({
    anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
    description: 'Comma-separated keys.',
    examples: ['temperature,humidity'],
  }),
);
const key = Type.Optional(
  Type.Unsafe<string | string[]>({
    anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
    description: 'One key; may be repeated, also for keys with a comma in them. Beats `keys`.',
  }),
);

export const KeysQuery = Type.Object({ keys, key });
export type KeysQuery = Static<typeof KeysQuery>;

/** Query of the series: with both `startTs` and `endTs` a range, else the latest values. thingsboard-server.md, 3.2 */
export const SeriesQuery = Type.Object({
  keys,
  key,
  startTs: Type.Optional(Type.Integer({ description: 'Epoch milliseconds, inclusive.' })),
  endTs: Type.Optional(Type.Integer({ description: 'Epoch milliseconds, exclusive.' })),
  interval: Type.Optional(Type.Integer({ minimum: 0, description: 'Length of a bucket in milliseconds.' })),
  intervalType: Type.Optional(Type.String({ description: 'Only MILLISECONDS is offered.' })),
  timeZone: Type.Optional(Type.String({ description: 'Of calendar intervals; not offered yet.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, description: 'Points of each key; 100 if left out.' })),
  agg: Type.Optional(Type.Enum(['NONE', 'MIN', 'MAX', 'AVG', 'SUM', 'COUNT'])),
  orderBy: Type.Optional(Type.Enum(['ASC', 'DESC'], { description: 'DESC if left out: newest first.' })),
  maxPoints: Type.Optional(
    Type.Integer({
      minimum: 3,
      description:
        'Added by Moorage, for charts: keys with more points are thinned to so many that look like all of them. ' +
        'Without `limit` the whole range is looked at.',
    }),
  ),
  useStrictDataTypes: Type.Optional(Type.Boolean({ description: 'Native types instead of text.' })),
});
export type SeriesQuery = Static<typeof SeriesQuery>;

/** thingsboard-server.md, 3.4 */
export const SeriesDeleteQuery = Type.Object({
  keys,
  key,
  deleteAllDataForKeys: Type.Optional(Type.Boolean()),
  startTs: Type.Optional(Type.Integer()),
  endTs: Type.Optional(Type.Integer()),
  deleteLatest: Type.Optional(Type.Boolean({ description: 'True if left out.' })),
  rewriteLatestIfDeleted: Type.Optional(Type.Boolean()),
});
export type SeriesDeleteQuery = Static<typeof SeriesDeleteQuery>;
