import { type Static, Type } from 'typebox';
import { named } from './building-blocks.ts';

/** How to connect one device, with nothing left to fill in. api-additions.md, 1 */
export const ConnectionGuide = named(
  'ConnectionGuide',
  Type.Object({
    dialect: Type.String(),
    endpoints: Type.Array(
      Type.Object({
        protocol: Type.String(),
        host: Type.String(),
        port: Type.Integer({ minimum: 1, maximum: 65_535 }),
      }),
    ),
    fields: Type.Array(Type.Object({ name: Type.String(), value: Type.String(), secret: Type.Boolean() })),
    snippets: Type.Array(Type.Object({ title: Type.String(), language: Type.String(), text: Type.String() })),
  }),
);
export type ConnectionGuide = Static<typeof ConnectionGuide>;
