import {
  applicationInput,
  callerOf,
  credentialsInput,
  deviceInput,
  openTestRegistry,
  sampleTenant,
  succeeded,
  type TestRegistry,
  thingscaleInput,
} from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { CredentialsInput } from '../platform.ts';

let devices = 0;
const create = (t: TestRegistry, credentials: CredentialsInput) => {
  devices += 1;
  return t.devices.saveWithCredentials(t.admin, deviceInput(`device ${devices}`), credentials);
};
const account = async (t: TestRegistry) =>
  succeeded(await t.applications.save(t.admin, applicationInput('account', { dialect: 'thingscale' }))).id;

describe('devices of ThingScale', () => {
  it('are known by account and device id, also over a restart, while the API shows the bare id', async () => {
    const t = await openTestRegistry();
    const [one, two] = [await account(t), await account(t)];
    const first = succeeded(await create(t, thingscaleInput(one, 'sensor-1')));
    const second = succeeded(await create(t, thingscaleInput(two, 'sensor-1')));
    expect(first.dialect).toBe('thingscale');
    expect(succeeded(await t.devices.credentials(t.admin, first.id))).toMatchObject({
      credentialsType: 'THINGSCALE',
      credentialsId: 'sensor-1',
      credentialsValue: JSON.stringify({ accountId: one }),
    });
    const { repositories, crypto } = t;
    const opened: string[] = [];
    const { open } = crypto;
    const next = await openTestRegistry({ repositories, crypto });
    crypto.open = (sealed) => {
      opened.push(sealed);
      return open.call(crypto, sealed);
    };
    for (const { credentials } of [t, next]) {
      expect(credentials.accountDevice?.(one, 'sensor-1')?.id).toBe(first.id);
      expect(credentials.accountDevice?.(two, 'sensor-1')?.id).toBe(second.id);
      expect(credentials.accountDevice?.(one, 'Sensor-1')).toBeUndefined();
      expect(credentials.accountDevice?.('nobody', 'sensor-1')).toBeUndefined();
      const found = credentials.ofDevice?.(first.id);
      expect(found).toMatchObject({ credentialsType: 'THINGSCALE', username: null, clientId: null, password: null });
      expect(found?.secret?.('accountId')).toBe(one);
      expect(found?.secret?.('deviceId')).toBe('sensor-1');
    }
    expect(opened).toEqual([]);
  });

  it('are unique in their account, also when two are saved at once', async () => {
    const t = await openTestRegistry();
    const accountId = await account(t);
    const answers = await Promise.all([
      create(t, thingscaleInput(accountId, 'a')),
      create(t, thingscaleInput(accountId, 'a')),
    ]);
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await create(t, thingscaleInput(accountId, 'a'))).toEqual({
      ok: false,
      code: 'invalidArguments',
      message: 'This device id is already in use in the account',
    });
    expect((await create(t, thingscaleInput(accountId, 'A'))).ok).toBe(true);
  });

  it('free their id with a change and with their end', async () => {
    const t = await openTestRegistry();
    const accountId = await account(t);
    const device = succeeded(await create(t, thingscaleInput(accountId, 'a')));
    const { id } = succeeded(await t.devices.credentials(t.admin, device.id));
    const save = (name: string) =>
      t.devices.saveCredentials(t.admin, device.id, { ...thingscaleInput(accountId, name), id });
    succeeded(await save('a'));
    expect(t.revoked).toEqual([]);
    succeeded(await save('b'));
    expect(t.revoked).toEqual([`credentialsChanged ${device.id}`]);
    expect(t.credentials.accountDevice?.(accountId, 'a')).toBeUndefined();
    expect((await create(t, thingscaleInput(accountId, 'a'))).ok).toBe(true);
    succeeded(await t.devices.remove(t.admin, device.id));
    expect((await create(t, thingscaleInput(accountId, 'b'))).ok).toBe(true);
  });

  it('keep a name and settings in memory that follow the device', async () => {
    const t = await openTestRegistry();
    const accountId = await account(t);
    const { id } = succeeded(await create(t, thingscaleInput(accountId, 'a')));
    succeeded(await t.devices.save(t.admin, deviceInput('renamed', { id, type: 'other' }), { accessToken: null }));
    expect(t.credentials.accountDevice?.(accountId, 'a')?.name).toBe('renamed');
  });

  it('have an account of the tenant and of the dialect, which is not deleted before them', async () => {
    const t = await openTestRegistry();
    const save = (caller: typeof t.admin, dialect: string) =>
      t.applications.save(caller, applicationInput('a', { dialect }));
    const tenant = sampleTenant();
    await t.repositories.commit([{ kind: 'putTenant', record: tenant }]);
    const theirs = succeeded(await save(callerOf('TENANT_ADMIN', tenant.id), 'thingscale'));
    const other = succeeded(await save(t.admin, 'waveshare'));
    for (const accountId of [theirs.id, other.id, 'x']) {
      expect(await create(t, thingscaleInput(accountId, 'a'))).toMatchObject({
        code: 'invalidArguments',
        message: 'The accountId is not the id of a thingscale application of this tenant',
      });
    }
    const accountId = await account(t);
    const { id } = succeeded(await create(t, thingscaleInput(accountId, 'a')));
    expect(await t.applications.remove(t.admin, accountId)).toMatchObject({
      code: 'badRequest',
      message: 'The application cannot be deleted as long as devices belong to its account!',
    });
    succeeded(await t.devices.remove(t.admin, id));
    succeeded(await t.applications.remove(t.admin, accountId));
  });

  it.each([
    ['0', 'a meaning of its own'],
    ['json', 'a meaning of its own'],
    ['binary', 'a meaning of its own'],
    ['bin', 'a meaning of its own'],
    ['state', 'a meaning of its own'],
    ['a/b', 'one of the characters'],
    ['a+', 'one of the characters'],
    ['#', 'one of the characters'],
    ['a\u0000', 'characters that no topic can have'],
    ['\ud800', 'characters that no topic can have'],
    ['a'.repeat(129), '1 to 128 bytes'],
    ['é'.repeat(65), '1 to 128 bytes'],
  ])('refuse the id %j', async (deviceId, text) => {
    const t = await openTestRegistry();
    const accountId = await account(t);
    expect(await create(t, thingscaleInput(accountId, deviceId))).toMatchObject({
      code: 'invalidArguments',
      message: expect.stringContaining(text),
    });
  });

  it('take any other text of up to 128 bytes, and draw an id that is left out', async () => {
    const t = await openTestRegistry();
    const accountId = await account(t);
    for (const id of ['é'.repeat(64), 'JSON', '00', 'a b', '$x']) {
      const { id: deviceId } = succeeded(await create(t, thingscaleInput(accountId, id)));
      expect(t.credentials.accountDevice?.(accountId, id)?.id).toBe(deviceId);
    }
    const drawn = succeeded(await create(t, thingscaleInput(accountId, null)));
    expect(t.credentials.ofDevice?.(drawn.id)?.secret?.('deviceId')).toMatch(/^[A-Za-z0-9]{20}$/);
  });

  it('need a value that names the account', async () => {
    const t = await openTestRegistry();
    for (const credentialsValue of [null, '{}', '[]', '{"accountId":7}']) {
      const input = credentialsInput('THINGSCALE', { credentialsId: 'a', credentialsValue });
      expect(await create(t, input)).toMatchObject({ code: 'invalidArguments' });
    }
  });
});
