import { type Static, Type } from 'typebox';
import { named } from './building-blocks.ts';

/** Text of a UUID. */
export const Uuid = Type.String({ format: 'uuid', examples: ['784f394c-42b6-435a-983c-b7beff784f39'] });

/** An id as answers carry it. thingsboard-server.md, 0.2 */
export const EntityId = named(
  'EntityId',
  Type.Object(
    {
      entityType: Type.String({ examples: ['DEVICE'] }),
      id: Uuid,
    },
    { description: 'A typed id. Path parameters carry the bare UUID.' },
  ),
);
export type EntityId = Static<typeof EntityId>;

/** An id as requests carry it: the type may be missing where it is clear. */
export const EntityIdInput = named(
  'EntityIdInput',
  Type.Object({
    entityType: Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'] })),
    id: Uuid,
  }),
);
export type EntityIdInput = Static<typeof EntityIdInput>;

/** The id of a credentials record has no type. thingsboard-server.md, 0.2 */
export const BareId = named('BareId', Type.Object({ id: Uuid }));
export type BareId = Static<typeof BareId>;
