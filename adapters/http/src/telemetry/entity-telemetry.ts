import type { ErrorObject } from '@moorage/api-types';
import type { Platform, TelemetryService } from '@moorage/core';
import type { FastifyReply } from 'fastify';
import { ErrorCode, type Refusals } from '../refusals/refusals.ts';

type TelemetryServices = Pick<Platform, 'telemetry' | 'assetTelemetry'>;

/** Telemetry of the entities of one type. */
export interface EntityTelemetry {
  readonly telemetry: TelemetryService;
  /** As refusals call it. */
  readonly typeName: string;
}

/** Types that ThingsBoard has telemetry of and that are not offered. thingsboard-server.md, 0.2 */
const OTHER_TYPES = [
  'TENANT',
  'CUSTOMER',
  'USER',
  'DEVICE_PROFILE',
  'ASSET_PROFILE',
  'DASHBOARD',
  'ALARM',
  'OTA_PACKAGE',
  'RPC',
  'RULE_CHAIN',
  'API_KEY',
];

/** By the type in upper case; undefined: there is none of this type. */
export function telemetryOfType(
  { telemetry, assetTelemetry }: TelemetryServices,
  type: string,
): EntityTelemetry | undefined {
  if (type === 'DEVICE') return { telemetry, typeName: 'Device' };
  return type === 'ASSET' ? { telemetry: assetTelemetry, typeName: 'Asset' } : undefined;
}

/** By the type in a path, in any case; or the refusal for a type that has no telemetry. */
export function telemetryOf(
  { platform, refusals }: { readonly platform: TelemetryServices; readonly refusals: Refusals },
  reply: Pick<FastifyReply, 'code'>,
  entityType: string,
): EntityTelemetry | ErrorObject {
  const type = entityType.toUpperCase();
  const found = telemetryOfType(platform, type);
  if (found !== undefined) return found;
  if (OTHER_TYPES.includes(type)) return refusals.notOffered(reply, `Telemetry of entities of type ${type} is`);
  return refusals.object(reply, 400, ErrorCode.badRequest, `Unknown entity type: ${entityType.slice(0, 64)}`);
}
