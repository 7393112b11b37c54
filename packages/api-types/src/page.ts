import { type Static, type TSchema, Type } from 'typebox';
import { named } from './building-blocks.ts';

/** Query of every list. thingsboard-server.md, 0.4 */
export const PageLinkProperties = {
  pageSize: Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: 'Above 10,000 counts as 10,000.' }),
  page: Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: 'From 0.' }),
  textSearch: Type.Optional(Type.String({ maxLength: 255, description: 'Part of the name, in any case.' })),
  sortProperty: Type.Optional(Type.String({ maxLength: 255, description: 'A member to sort by; by id if left out.' })),
  sortOrder: Type.Optional(Type.Enum(['ASC', 'DESC'], { description: 'ASC if left out.' })),
};

export const PageLink = Type.Object(PageLinkProperties);
export type PageLink = Static<typeof PageLink>;

/** One page of a list; `name` is the name of the schema in the OpenAPI document. */
export function pageOf<const Id extends string, T extends TSchema>(name: Id, item: T) {
  return named(
    name,
    Type.Object({
      data: Type.Array(item),
      totalPages: Type.Integer(),
      totalElements: Type.Integer(),
      hasNext: Type.Boolean(),
    }),
  );
}
