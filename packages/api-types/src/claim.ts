import { type Static, Type } from 'typebox';
import { named, nullableText, refTo } from './building-blocks.ts';
import { Device } from './device.ts';

/** The secret of a device; left out: the empty one. thingsboard-server.md, 2.8 */
export const ClaimRequest = named(
  'ClaimRequest',
  Type.Object({ secretKey: Type.Optional(nullableText({ maxLength: 4096 })) }),
);
export type ClaimRequest = Static<typeof ClaimRequest>;

export const ClaimResult = named(
  'ClaimResult',
  Type.Object({ device: refTo(Device), response: Type.Literal('SUCCESS') }),
);
export type ClaimResult = Static<typeof ClaimResult>;

/** Why a claim failed, as a bare JSON text. */
export const ClaimFailure = named('ClaimFailure', Type.Enum(['FAILURE', 'CLAIMED']));
export type ClaimFailure = Static<typeof ClaimFailure>;
