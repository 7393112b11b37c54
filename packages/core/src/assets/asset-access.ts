import { refuse } from '../errors.ts';
import type { EntityAccess } from '../telemetry/service.ts';
import type { AssetService } from './asset-service.ts';

/** Who may use the telemetry and attributes of assets. */
export function assetAccess(assets: Pick<AssetService, 'data'>): EntityAccess {
  return {
    // The right to the data is one for ordinary callers; anybody may look, and no more.
    entity: async (caller, id, action) =>
      caller.isPublic === true && action === 'WRITE' ? refuse('permissionDenied') : assets.data(caller, id),
  };
}
