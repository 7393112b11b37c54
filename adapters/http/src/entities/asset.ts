import type {
  Asset as ApiAsset,
  AssetInfo as ApiAssetInfo,
  AssetInput as ApiAssetInput,
  AssetListQuery as ApiAssetListQuery,
} from '@moorage/api-types';
import type { Asset, AssetInfo, AssetInput, AssetListQuery } from '@moorage/core';
import { entityId, inputId } from './entity-ids.ts';
import { toPageQuery } from './pages.ts';

/** thingsboard-server.md, 2.5 */
export function toAsset(asset: Asset): ApiAsset {
  return {
    id: entityId('ASSET', asset.id),
    createdTime: asset.createdTime,
    tenantId: entityId('TENANT', asset.tenantId),
    customerId: entityId('CUSTOMER', asset.customerId),
    name: asset.name,
    type: asset.type,
    label: asset.label,
    assetProfileId: entityId('ASSET_PROFILE', asset.assetProfileId),
    externalId: null,
    version: asset.version,
    additionalInfo: asset.additionalInfo,
  };
}

export function toAssetInfo(asset: AssetInfo): ApiAssetInfo {
  const { customerTitle, customerIsPublic } = asset;
  return { ...toAsset(asset), customerTitle, customerIsPublic, assetProfileName: asset.type };
}

export function fromAssetInput(input: ApiAssetInput): AssetInput {
  return {
    id: inputId(input.id),
    name: input.name,
    label: input.label ?? null,
    type: input.type ?? null,
    assetProfileId: inputId(input.assetProfileId),
    additionalInfo: input.additionalInfo ?? null,
    version: input.version ?? null,
  };
}

export function toAssetListQuery(query: ApiAssetListQuery): AssetListQuery {
  return { ...toPageQuery(query), type: query.type ?? null, assetProfileId: query.assetProfileId ?? null };
}
