import type { EntityId } from '../model/entities.ts';
import type { OtaService } from '../ota/ota-service.ts';
import { platformCaller } from '../registry/authorize.ts';

/**
 * What a part of the platform keeps of a tenant beside the registry's own records: files, or a copy in memory. Called
 * when the tenant has no users, devices and profiles any more; its documents are deleted afterwards by the registry.
 */
export interface TenantContents {
  /** Takes away what it can; called again at the next start if the removal was cut off, so it may find nothing. */
  removeOf(tenantId: EntityId): Promise<void>;
}

const PAGE = { pageSize: 100, page: 0, textSearch: null, sortProperty: null, sortOrder: 'ASC' } as const;

/** The packages of a tenant with their files. */
export function packagesOf(ota: Pick<OtaService, 'list' | 'remove'>): TenantContents {
  return {
    async removeOf(tenantId) {
      const caller = platformCaller(tenantId);
      for (;;) {
        const page = await ota.list(caller, PAGE);
        if (!page.ok || page.value.data.length === 0) return;
        const removed = await Promise.all(page.value.data.map(({ id }) => ota.remove(caller, id)));
        // One that cannot be removed goes with the documents; its file is found to belong to nothing at the next start.
        if (!removed.some(({ ok }) => ok)) return;
      }
    },
  };
}
