import {
  basicInput,
  credentialsInput,
  deviceInput,
  FakeCrypto,
  MemoryRepositories,
  openTestRegistry,
  plainInput,
  putToken,
  sampleCredentials,
  sampleDevice,
  sampleProfile,
  sampleTenant,
  succeeded,
} from '@moorage/testkit';
import { describe, expect, it, vi } from 'vitest';

describe('opening the registry', () => {
  it('makes the tenant `default` with its profile once', async () => {
    const repositories = new MemoryRepositories();
    const first = await openTestRegistry({ repositories });
    const second = await openTestRegistry({ repositories });
    expect(first.defaultTenant.name).toBe('default');
    expect(second.defaultTenant).toEqual(first.defaultTenant);
    expect(succeeded(await second.profiles.defaultProfile(second.admin))).toMatchObject({ name: 'default' });
  });

  it('knows every device, name and password of an earlier run', async () => {
    const t = await openTestRegistry();
    const save = (name: string, credentials: ReturnType<typeof plainInput>) =>
      t.devices.saveWithCredentials(
        t.admin,
        deviceInput(name, { type: 'meter', additionalInfo: { gateway: true } }),
        credentials,
      );
    succeeded(await save('a', plainInput('plain user')));
    succeeded(await save('b', basicInput({ userName: 'u', clientId: 'c', password: 'p' })));
    succeeded(await save('c', basicInput({ clientId: 'alone' })));
    succeeded(await t.devices.save(t.admin, deviceInput('d'), { accessToken: 'token' }));
    const next = await openTestRegistry({ repositories: t.repositories, crypto: t.crypto });
    for (const name of ['a', 'b', 'c', 'd']) {
      const before = t.deviceRefByName(t.admin.tenantId, name);
      expect(next.deviceRefByName(t.admin.tenantId, name)).toEqual(before);
    }
    expect(next.credentials.byUsername('plain user')).toMatchObject({
      dialect: 'plain',
      credentials: [{ password: 'secret' }],
    });
    expect(next.credentials.byUsername('u')?.credentials[0]).toMatchObject({ clientId: 'c', password: 'p' });
    expect(next.credentials.byClientId('alone')?.credentials[0]?.device?.name).toBe('c');
    expect(next.credentials.byUsername('token')?.credentials[0]?.password).toBeNull();
  });

  it('knows certificates of an earlier run without reading one record after the other', async () => {
    const t = await openTestRegistry();
    const certificate = credentialsInput('X509_CERTIFICATE', { credentialsValue: 'MIIBszCCAVmgAwIBAgIUE+a/b==' });
    const { id } = succeeded(await t.devices.saveWithCredentials(t.admin, deviceInput('a'), certificate));
    const hash = t.crypto.sha3_256('MIIBszCCAVmgAwIBAgIUE+a/b==');
    const { repositories, crypto } = t;
    const read = vi.spyOn(repositories, 'credentials');
    const next = await openTestRegistry({ repositories, crypto });
    expect(next.credentials.byCertificate(hash)?.device?.id).toBe(id);
    expect(read).not.toHaveBeenCalled();
  });

  it('loads more devices than one slice', async () => {
    const repositories = new MemoryRepositories();
    const tenant = sampleTenant();
    const profile = sampleProfile(tenant.id);
    await repositories.commit([
      { kind: 'putTenant', record: tenant },
      { kind: 'putProfile', record: profile, expectedVersion: null },
    ]);
    const devices = Array.from({ length: 10_001 }, () => sampleDevice(profile));
    for (const device of devices) {
      await repositories.commit([
        { kind: 'putDevice', record: device, expectedVersion: null },
        putToken(sampleCredentials(device.id, { credentialsId: `token of ${device.id}` })),
      ]);
    }
    const t = await openTestRegistry({ repositories });
    expect(
      devices.every(({ id }) => t.credentials.byUsername(`token of ${id}`)?.credentials[0]?.device?.id === id),
    ).toBe(true);
  });

  it('refuses a sealing key that is not the one of the data', async () => {
    const repositories = new MemoryRepositories();
    await openTestRegistry({ repositories, crypto: new FakeCrypto(1, 'one') });
    const other = openTestRegistry({ repositories, crypto: new FakeCrypto(1, 'two') });
    await expect(other).rejects.toMatchObject({ name: 'RegistryStartError', code: 'wrong-seal-key' });
  });

  it('refuses repositories that cannot be written at first start', async () => {
    const repositories = new MemoryRepositories();
    repositories.troubles.push('full');
    await expect(openTestRegistry({ repositories })).rejects.toMatchObject({ code: 'not-writable' });
  });

  it('tells every listener, reports one that throws, and stops when it is removed', async () => {
    const t = await openTestRegistry();
    const heard: string[] = [];
    const fault = new RangeError('listener');
    t.addListener({
      revoked: () => {
        throw fault;
      },
      deviceChanged: () => {},
      sharedAttributesChanged: () => {},
    });
    const remove = t.addListener({
      revoked: (id) => heard.push(id),
      deviceChanged: () => {},
      sharedAttributesChanged: (id) => heard.push(`shared ${id}`),
    });
    t.listeners.revoked('x', 'deleted');
    t.listeners.sharedAttributesChanged('y', { deleted: ['k'] });
    remove();
    t.listeners.revoked('z', 'deleted');
    expect(heard).toEqual(['x', 'shared y']);
    expect(t.reports).toEqual([fault, fault]);
  });
});
