import { randomUUID } from 'node:crypto';
import type { Change, DocumentCollection, StoredDocument } from '@moorage/core';
import { expect, it } from 'vitest';
import type { Scene } from './describe-repositories.ts';
import { sampleApplication, sampleDevice, sampleUser } from './sample-records.ts';

const collection = (name: string): DocumentCollection => ({ name, filters: [], sorts: [], search: [], unique: [] });
const COLLECTIONS = [collection('tenant_case_a'), collection('tenant_case_b')];

/** Tenants that are renamed and removed with all that is theirs. */
export function tenantCases(newScene: () => Promise<Scene>): void {
  const documentsOf = (tenantId: string): Change[] =>
    COLLECTIONS.flatMap((one) =>
      [1, 2, 3].map((createdTime): Change => {
        const record: StoredDocument = { id: randomUUID(), tenantId, createdTime, version: 1, body: {} };
        return { kind: 'putDocument', collection: one, record, expectedVersion: null };
      }),
    );

  it('renames a tenant to a name that is free', async () => {
    const { repositories, tenant } = await newScene();
    const other = await newScene();
    const rename = (id: string, name: string) => repositories.commit([{ kind: 'renameTenant', id, name }]);
    const name = `renamed ${tenant.id}`;
    expect(await rename(tenant.id, name)).toBe('done');
    expect(await rename(tenant.id, name)).toBe('done');
    expect(await repositories.tenant(tenant.id)).toEqual({ ...tenant, name });
    expect(await repositories.tenantByName(tenant.name)).toBeNull();
    expect((await repositories.tenantByName(name))?.id).toBe(tenant.id);
    expect(await rename(other.tenant.id, name)).toEqual({ kind: 'unique', member: 'tenantName', change: 0 });
    expect(await rename(other.tenant.id, tenant.name)).toBe('done');
    expect(await rename(randomUUID(), randomUUID())).toEqual({ kind: 'version', change: 0 });
  });

  it('counts and deletes the documents of a tenant in all collections, at most so many at once', async () => {
    const { repositories, tenant } = await newScene();
    const other = await newScene();
    await repositories.commit([...documentsOf(tenant.id), ...documentsOf(other.tenant.id)]);
    const remove = () => repositories.commit([{ kind: 'deleteTenantDocuments', tenantId: tenant.id, limit: 4 }]);
    expect(await repositories.tenantDocuments(tenant.id)).toBe(6);
    expect(await remove()).toBe('done');
    expect(await repositories.tenantDocuments(tenant.id)).toBe(2);
    expect(await remove()).toBe('done');
    expect(await remove()).toBe('done');
    expect(await repositories.tenantDocuments(tenant.id)).toBe(0);
    expect(await repositories.tenantDocuments(other.tenant.id)).toBe(6);
    expect(await repositories.tenantDocuments(randomUUID())).toBe(0);
  });

  it('deletes a tenant that has nothing any more, and no other one', async () => {
    const { repositories, tenant, profile } = await newScene();
    const device = sampleDevice(profile);
    const user = sampleUser(tenant.id);
    const application = sampleApplication(tenant.id);
    await repositories.commit([
      { kind: 'putDevice', record: device, expectedVersion: null },
      { kind: 'putUser', record: user, expectedVersion: null },
      { kind: 'putApplication', record: application, expectedVersion: null, names: [] },
      ...documentsOf(tenant.id),
    ]);
    const steps: readonly Change[] = [
      { kind: 'deleteDevice', id: device.id, expectedVersion: 1, time: 1 },
      { kind: 'deleteUser', id: user.id, expectedVersion: null },
      { kind: 'deleteApplication', id: application.id, expectedVersion: 1 },
      { kind: 'deleteTenantDocuments', tenantId: tenant.id, limit: 10 },
      { kind: 'deleteProfile', id: profile.id, expectedVersion: 1 },
    ];
    const remove: Change = { kind: 'deleteTenant', id: tenant.id };
    for (const step of steps) {
      expect(await repositories.commit([remove])).toEqual({ kind: 'inUse', change: 0 });
      expect(await repositories.commit([step])).toBe('done');
    }
    expect(await repositories.commit([remove])).toBe('done');
    expect(await repositories.tenant(tenant.id)).toBeNull();
    expect(await repositories.tenantByName(tenant.name)).toBeNull();
    expect(await repositories.commit([remove])).toEqual({ kind: 'version', change: 0 });
  });
}
