import { callerOf, openTestRegistry, succeeded } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { assetInput, STRANGER, sceneOn } from '../dashboards/test-scene.ts';
import { assetAccess } from './asset-access.ts';

async function openScene() {
  const registry = await openTestRegistry();
  const s = sceneOn(registry, registry.repositories);
  const { id } = succeeded(await s.assets.save(s.admin, assetInput('Hall')));
  return { s, id, access: assetAccess(s.assets) };
}

describe('access to the data of assets', () => {
  it('is for the tenant and the customer that the asset belongs to', async () => {
    const { s, id, access } = await openScene();
    const yard = await s.customer('Yard');
    const may = async (caller: typeof s.admin) => (await access.entity(caller, id, 'WRITE')).ok;
    expect([await may(s.admin), await may(yard.user), await may(STRANGER)]).toEqual([true, false, false]);
    expect(await may(callerOf('SYS_ADMIN', s.admin.tenantId))).toBe(false);
    succeeded(await s.assets.assign(s.admin, yard.id, id));
    expect([await may(yard.user), await may(STRANGER)]).toEqual([true, false]);
  });

  it('ends with the asset', async () => {
    const { s, id, access } = await openScene();
    succeeded(await s.assets.remove(s.admin, id));
    expect(await access.entity(s.admin, id, 'READ')).toMatchObject({ code: 'notFound' });
    await s.assets.settled();
    expect(s.removedData).toEqual([id]);
  });

  it('lets anybody who knows a public customer look, and no more', async () => {
    const { s, id, access } = await openScene();
    const { customerId } = succeeded(await s.assets.assignToPublic(s.admin, id));
    const viewer = { ...callerOf('CUSTOMER_USER', s.admin.tenantId, customerId), isPublic: true };
    expect((await access.entity(viewer, id, 'READ')).ok).toBe(true);
    expect(await access.entity(viewer, id, 'WRITE')).toMatchObject({ code: 'permissionDenied' });
  });
});
