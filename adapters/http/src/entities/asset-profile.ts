import type {
  AssetProfile as ApiAssetProfile,
  AssetProfileInfo as ApiAssetProfileInfo,
  AssetProfileInput as ApiAssetProfileInput,
} from '@moorage/api-types';
import type { AssetProfile, AssetProfileInput } from '@moorage/core';
import { entityId, inputId } from './entity-ids.ts';

/** thingsboard-server.md, 2.5 */
export function toAssetProfile(profile: AssetProfile): ApiAssetProfile {
  return {
    id: entityId('ASSET_PROFILE', profile.id),
    createdTime: profile.createdTime,
    tenantId: entityId('TENANT', profile.tenantId),
    name: profile.name,
    description: profile.description,
    image: null,
    defaultRuleChainId: null,
    defaultDashboardId: null,
    defaultQueueName: null,
    defaultEdgeRuleChainId: null,
    externalId: null,
    version: profile.version,
    default: profile.isDefault,
  };
}

export function toAssetProfileInfo(profile: AssetProfile): ApiAssetProfileInfo {
  return {
    id: entityId('ASSET_PROFILE', profile.id),
    tenantId: entityId('TENANT', profile.tenantId),
    name: profile.name,
    image: null,
    defaultDashboardId: null,
  };
}

export function fromAssetProfileInput(input: ApiAssetProfileInput): AssetProfileInput {
  return {
    id: inputId(input.id),
    name: input.name,
    description: input.description ?? null,
    version: input.version ?? null,
  };
}
