import { type Static, Type } from 'typebox';
import { named } from './building-blocks.ts';

/** thingsboard-server.md, 0.8 */
export const SystemInfo = named(
  'SystemInfo',
  Type.Object({
    version: Type.String({ description: 'The ThingsBoard API level that is emulated.' }),
    artifact: Type.Literal('application'),
    name: Type.String(),
    type: Type.Literal('CE'),
    moorage: Type.String({ description: 'The version of this server.' }),
  }),
);
export type SystemInfo = Static<typeof SystemInfo>;

export const Health = named('Health', Type.Object({ status: Type.Literal('ok') }));
export type Health = Static<typeof Health>;

export const Readiness = named(
  'Readiness',
  Type.Object({
    ready: Type.Boolean(),
    checks: Type.Array(
      Type.Object({
        name: Type.String(),
        ok: Type.Boolean(),
        reason: Type.Unsafe<string | null>({ type: ['string', 'null'] }),
      }),
    ),
  }),
);
export type Readiness = Static<typeof Readiness>;
