import {
  basicInput,
  credentialsInput,
  deviceInput,
  openTestRegistry,
  plainInput,
  succeeded,
  type TestRegistry,
} from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { CredentialsInput } from '../platform.ts';

async function withDevice(accessToken = 'token') {
  const t = await openTestRegistry();
  const device = succeeded(await t.devices.save(t.admin, deviceInput('A'), { accessToken }));
  const credentials = succeeded(await t.devices.credentials(t.admin, device.id));
  return { t, device, id: credentials.id };
}

const save = (t: TestRegistry, deviceId: string, input: CredentialsInput) =>
  t.devices.saveCredentials(t.admin, deviceId, input);

describe('credentials of a device', () => {
  it('TBS-33 take effect at once, free the old token and cut its connections', async () => {
    const { t, device, id } = await withDevice('old');
    const input = credentialsInput('ACCESS_TOKEN', { id, credentialsId: 'new' });
    const saved = succeeded(await save(t, device.id, input));
    expect(saved).toMatchObject({ id, deviceId: device.id, credentialsId: 'new', version: 2 });
    expect(succeeded(await t.devices.credentials(t.admin, device.id))).toEqual(saved);
    expect(t.credentials.byUsername('old')).toBeUndefined();
    expect(t.credentials.byUsername('new')?.credentials[0]?.device?.id).toBe(device.id);
    expect(t.revoked).toEqual([`credentialsChanged ${device.id}`]);
  });

  it('leave connections alone when nothing changed', async () => {
    const { t, device, id } = await withDevice();
    succeeded(await save(t, device.id, credentialsInput('ACCESS_TOKEN', { id, credentialsId: 'token' })));
    expect(t.revoked).toEqual([]);
  });

  it('need the id of the record that is updated, and its version if one is given', async () => {
    const { t, device, id } = await withDevice();
    for (const wrong of [null, device.id]) {
      expect(await save(t, device.id, credentialsInput('ACCESS_TOKEN', { id: wrong }))).toMatchObject({
        code: 'badRequest',
        message: 'Unable to update non-existent device credentials!',
      });
    }
    expect(await save(t, device.id, credentialsInput('ACCESS_TOKEN', { id, version: 2 }))).toMatchObject({
      code: 'versionConflict',
    });
    expect((await save(t, device.id, credentialsInput('ACCESS_TOKEN', { id, version: 1 }))).ok).toBe(true);
  });

  it('TBS-35 refuse a token that another device has', async () => {
    const { t } = await withDevice('taken');
    const second = succeeded(await t.devices.save(t.admin, deviceInput('B'), { accessToken: 'mine' }));
    const { id } = succeeded(await t.devices.credentials(t.admin, second.id));
    const refusal = { code: 'badRequest', message: 'Device credentials are already assigned to another device!' };
    expect(await save(t, second.id, credentialsInput('ACCESS_TOKEN', { id, credentialsId: 'taken' }))).toMatchObject(
      refusal,
    );
    expect(await t.devices.save(t.admin, deviceInput('C'), { accessToken: 'taken' })).toMatchObject(refusal);
    expect(await save(t, second.id, basicInput({ userName: 'taken' }, { id }))).toMatchObject(refusal);
    expect(t.credentials.byUsername('mine')?.credentials).toHaveLength(1);
  });

  it('TBS-34 refuse the three wrong forms of MQTT_BASIC', async () => {
    const { t, device, id } = await withDevice();
    for (const input of [
      basicInput({}, { id }),
      basicInput({ clientId: 'c', password: 'p' }, { id }),
      credentialsInput('MQTT_BASIC', { id, credentialsValue: '{' }),
    ]) {
      expect(await save(t, device.id, input)).toMatchObject({ code: 'badRequest' });
    }
    expect(t.credentials.byUsername('token')).toBeDefined();
  });

  it('are stored sealed where they hold a password, and read back open', async () => {
    const { t, device, id } = await withDevice();
    const value = { clientId: 'c', userName: 'u', password: 'top secret' };
    succeeded(await save(t, device.id, basicInput(value, { id })));
    const stored = await t.repositories.credentials(device.id);
    expect(stored?.credentialsValue).toMatch(/^sealed:/);
    expect(JSON.stringify(stored)).not.toContain('top secret');
    const read = succeeded(await t.devices.credentials(t.admin, device.id));
    expect(JSON.parse(read.credentialsValue ?? '')).toEqual(value);
    expect(t.credentials.byUsername('u')?.credentials[0]).toMatchObject({
      credentialsType: 'MQTT_BASIC',
      username: 'u',
      clientId: 'c',
      password: 'top secret',
      application: null,
    });
  });

  it('ask for no password where the record has none', async () => {
    const { t, device, id } = await withDevice();
    succeeded(await save(t, device.id, basicInput({ clientId: 'only' }, { id })));
    expect(t.credentials.byClientId('only')?.credentials[0]).toMatchObject({ username: null, password: null });
    expect(t.credentials.byUsername('only')).toBeUndefined();
  });

  it('make the dialect of the device', async () => {
    const { t, device, id } = await withDevice();
    succeeded(await save(t, device.id, plainInput('user', { id })));
    expect(succeeded(await t.devices.get(t.admin, device.id))).toMatchObject({ dialect: 'plain', version: 1 });
    expect(t.credentials.byUsername('user')).toMatchObject({ dialect: 'plain' });
    expect(t.credentials.byUsername('user')?.credentials[0]?.password).toBe('secret');
    succeeded(await save(t, device.id, credentialsInput('ACCESS_TOKEN', { id })));
    expect(succeeded(await t.devices.get(t.admin, device.id)).dialect).toBe('thingsboard');
  });

  it('may be a certificate, which is read back and opens no name', async () => {
    const { t, device, id } = await withDevice();
    const saved = succeeded(
      await save(t, device.id, credentialsInput('X509_CERTIFICATE', { id, credentialsValue: 'QUJD' })),
    );
    expect(saved).toMatchObject({ credentialsId: t.crypto.sha3_256('QUJD'), credentialsValue: 'QUJD' });
    expect(t.credentials.byUsername('token')).toBeUndefined();
    expect(t.deviceRef(device.id)).toBeDefined();
    const second = succeeded(await t.devices.save(t.admin, deviceInput('B'), { accessToken: null }));
    const other = succeeded(await t.devices.credentials(t.admin, second.id));
    const same = credentialsInput('X509_CERTIFICATE', { id: other.id, credentialsValue: 'QUJD' });
    expect(await save(t, second.id, same)).toMatchObject({
      code: 'badRequest',
      message: 'Specified credentials are already registered!',
    });
  });

  it('follow the device when it is renamed meanwhile', async () => {
    const { t, device, id } = await withDevice();
    await Promise.all([
      t.devices.save(t.admin, deviceInput('renamed', { id: device.id }), { accessToken: null }),
      save(t, device.id, credentialsInput('ACCESS_TOKEN', { id, credentialsId: 'next' })),
    ]);
    expect(t.credentials.byUsername('next')?.credentials[0]?.device?.name).toBe('renamed');
    expect(t.deviceRefByName(t.admin.tenantId, 'renamed')?.id).toBe(device.id);
  });
});

describe('removing a device', () => {
  it('TBS-37 makes its credentials useless, cuts its connections and empties its data', async () => {
    const { t, device } = await withDevice('gone');
    succeeded(await t.devices.remove(t.admin, device.id));
    expect(t.credentials.byUsername('gone')).toBeUndefined();
    expect(t.deviceRef(device.id)).toBeUndefined();
    expect(t.deviceRefByName(t.admin.tenantId, 'A')).toBeUndefined();
    expect(t.deviceData(t.admin, device.id)).toMatchObject({ code: 'notFound' });
    expect(await t.devices.get(t.admin, device.id)).toMatchObject({ code: 'notFound' });
    expect(t.revoked).toEqual([`deleted ${device.id}`]);
    await t.settled();
    expect(t.removed).toEqual([device.id]);
    expect(await t.repositories.removals()).toEqual([]);
    expect(await t.devices.remove(t.admin, device.id)).toMatchObject({ code: 'notFound' });
  });

  it('keeps the mark of data that could not be removed, and takes it up at the next start', async () => {
    const { t, device } = await withDevice();
    t.removalOutcomes.push('failed');
    succeeded(await t.devices.remove(t.admin, device.id));
    await t.settled();
    expect(await t.repositories.removals()).toEqual([device.id]);
    const next = await openTestRegistry({ repositories: t.repositories, crypto: t.crypto });
    await next.finishRemovals();
    expect(next.removed).toEqual([device.id]);
    expect(await t.repositories.removals()).toEqual([]);
  });

  it('lets the name and the token be used again at once', async () => {
    const { t, device } = await withDevice('again');
    succeeded(await t.devices.remove(t.admin, device.id));
    const next = succeeded(await t.devices.save(t.admin, deviceInput('A'), { accessToken: 'again' }));
    expect(t.credentials.byUsername('again')?.credentials[0]?.device?.id).toBe(next.id);
  });
});
