import {
  type AssetService,
  type BulkImportService,
  type DashboardService,
  type RelationService,
  refuse,
  success,
} from '@moorage/core';

const missing = async () => refuse('notFound');

/** No assets at all; tests of assets run on the registry itself. */
export function fakeAssets(): AssetService {
  return {
    profiles: {
      save: missing,
      get: missing,
      list: missing,
      defaultProfile: missing,
      makeDefault: missing,
      remove: missing,
    },
    save: missing,
    get: missing,
    info: missing,
    byName: missing,
    list: missing,
    listInfos: missing,
    ofCustomer: missing,
    infosOfCustomer: missing,
    byIds: missing,
    remove: missing,
    types: missing,
    assign: missing,
    assignToPublic: missing,
    unassign: missing,
    data: missing,
  };
}

export function fakeDashboards(): DashboardService {
  return {
    save: missing,
    get: missing,
    info: missing,
    list: missing,
    ofCustomer: missing,
    remove: missing,
    changeCustomers: missing,
    changePublic: missing,
    home: async () => success(null),
  };
}

export function fakeRelations(): RelationService {
  return { save: missing, get: missing, remove: missing, removeAll: missing, list: missing, listInfos: missing };
}

export function fakeBulkImport(): BulkImportService {
  return { devices: missing };
}
