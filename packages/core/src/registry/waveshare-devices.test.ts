import {
  applicationInput,
  basicInput,
  callerOf,
  credentialsInput,
  deviceInput,
  openTestRegistry,
  profileInput,
  sampleTenant,
  succeeded,
  type TestRegistry,
  waveshareInput,
} from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../model/entities.ts';
import type { CredentialsInput } from '../platform.ts';
import { accountNumber } from './waveshare-account.ts';

const BURNT_IN = { clientId: '19ba7e8b', pubTopic: 'Pub/1/37/19ba7e8b', subTopic: 'Sub/1/37/19ba7e8b' };

let devices = 0;
const create = (t: TestRegistry, credentials: CredentialsInput, type: string | null = null) => {
  devices += 1;
  return t.devices.saveWithCredentials(t.admin, deviceInput(`device ${devices}`, { type }), credentials);
};
const account = async (t: TestRegistry, configuration: JsonObject = {}) =>
  succeeded(await t.applications.save(t.admin, applicationInput('account', { dialect: 'waveshare', configuration })))
    .id;
const burntIn = async (t: TestRegistry, id: string) =>
  JSON.parse(succeeded(await t.devices.credentials(t.admin, id)).credentialsValue ?? '');
const restarted = ({ repositories, crypto }: TestRegistry) => openTestRegistry({ repositories, crypto });

describe('devices of Waveshare', () => {
  it('WS-39 an import keeps client ID and topics as burnt in, also over a restart', async () => {
    const t = await openTestRegistry();
    const saved = succeeded(await create(t, waveshareInput(BURNT_IN)));
    expect(saved.dialect).toBe('waveshare');
    const credentials = succeeded(await t.devices.credentials(t.admin, saved.id));
    expect(credentials).toMatchObject({ credentialsType: 'WAVESHARE', credentialsId: '19ba7e8b' });
    expect(await burntIn(t, saved.id)).toEqual(BURNT_IN);
    for (const registry of [t, await restarted(t)]) {
      const holder = registry.credentials.byClientId('19ba7e8b');
      const [found] = holder?.credentials ?? [];
      expect(holder?.dialect).toBe('waveshare');
      expect(found).toMatchObject({ username: null, clientId: '19ba7e8b', password: null, device: { id: saved.id } });
      expect(found?.secret?.('pubTopic')).toBe(BURNT_IN.pubTopic);
      expect(found?.secret?.('subTopic')).toBe(BURNT_IN.subTopic);
      expect(found?.secret?.('accountId')).toBeNull();
      expect(registry.credentials.ofDevice?.(saved.id)).toBe(found);
    }
  });

  it('WS-39 numbers are kept as the digits they are, and one topic gives the other', async () => {
    const t = await openTestRegistry();
    const one = succeeded(await create(t, waveshareInput({ subTopic: 'Sub/0059/0000000498/a_B-9' })));
    expect(await burntIn(t, one.id)).toEqual({
      clientId: 'a_B-9',
      pubTopic: 'Pub/0059/0000000498/a_B-9',
      subTopic: 'Sub/0059/0000000498/a_B-9',
    });
  });

  it.each<[Parameters<typeof waveshareInput>[0], string]>([
    [{ ...BURNT_IN, subTopic: 'Sub/2/37/19ba7e8b' }, 'The numbers in the pubTopic and in the subTopic differ'],
    [{ ...BURNT_IN, subTopic: 'Sub/01/37/19ba7e8b' }, 'The numbers in the pubTopic and in the subTopic differ'],
    [{ ...BURNT_IN, subTopic: 'Sub/1/37/82b52f8b' }, 'The client IDs in the pubTopic and in the subTopic differ'],
    [{ ...BURNT_IN, clientId: '82b52f8b' }, 'The client ID at the end of the topics is not that of the credentials'],
    [{ ...BURNT_IN, clientId: '19BA7E8B' }, 'The client ID at the end of the topics is not that of the credentials'],
    [{ ...BURNT_IN, pubTopic: BURNT_IN.subTopic }, 'The pubTopic is not Pub/<number>/<number>/<client ID>'],
    [{ ...BURNT_IN, pubTopic: 'Pub/1/19ba7e8b' }, 'The pubTopic is not Pub/<number>/<number>/<client ID>'],
    [{ ...BURNT_IN, pubTopic: 'Pub/12345678901/37/19ba7e8b' }, 'The pubTopic is not Pub/<number>/<number>/<client ID>'],
    [{ ...BURNT_IN, subTopic: 'sensor/1/temperature' }, 'The subTopic is not Sub/<number>/<number>/<client ID>'],
    [{ clientId: 'a b' }, 'The client ID is not 1 to 64 letters, digits and characters of _-'],
    [{ clientId: 'a'.repeat(65) }, 'The client ID is not 1 to 64 letters, digits and characters of _-'],
    [{ clientId: 'provision' }, 'The client ID is reserved: provision'],
    [{ password: 'p'.repeat(1025) }, 'The password is longer than 1024 characters'],
  ])('WS-40 refuses %j', async (value, message) => {
    const t = await openTestRegistry();
    expect(await create(t, waveshareInput(value))).toEqual({ ok: false, code: 'invalidArguments', message });
  });

  it('WS-40 refuses a client ID that is there already, and an id that is another one than that of the value', async () => {
    const t = await openTestRegistry();
    succeeded(await create(t, waveshareInput(BURNT_IN)));
    expect(await create(t, waveshareInput({ ...BURNT_IN, pubTopic: null, subTopic: null }))).toMatchObject({
      code: 'invalidArguments',
      message: 'This client ID is already in use by a credential of the dialect waveshare',
    });
    expect(await create(t, waveshareInput({ clientId: 'a' }, { credentialsId: 'b' }))).toMatchObject({
      code: 'invalidArguments',
      message: 'The credentialsId is not the clientId of the value',
    });
    for (const credentialsValue of ['[]', '{"clientId":7}', '{"password":{}}', 'x']) {
      const input = credentialsInput('WAVESHARE', { credentialsValue });
      expect(await create(t, input)).toMatchObject({ code: 'invalidArguments' });
    }
  });

  it('keeps that a device is disabled, also over a restart, and takes nothing but true and false for it', async () => {
    const t = await openTestRegistry();
    const input = (enabled: unknown) =>
      credentialsInput('WAVESHARE', { credentialsValue: JSON.stringify({ ...BURNT_IN, enabled }) });
    expect(await create(t, input('false'))).toEqual({
      ok: false,
      code: 'invalidArguments',
      message: 'enabled is not true or false',
    });
    const { id } = succeeded(await create(t, input(false)));
    expect(await burntIn(t, id)).toEqual({ ...BURNT_IN, enabled: false });
    for (const registry of [t, await restarted(t)]) {
      expect(registry.credentials.ofDevice?.(id)?.secret?.('enabled')).toBe('false');
    }
  });

  it('WS-41 10,000 new devices have client IDs of 8 lower-case hex digits, no two of them the same', async () => {
    const t = await openTestRegistry();
    const ids = new Set<string>();
    for (let slice = 0; slice < 100; slice += 1) {
      const made = await Promise.all(Array.from({ length: 100 }, () => create(t, waveshareInput())));
      for (const one of made) ids.add(t.credentials.ofDevice?.(succeeded(one).id)?.clientId ?? '');
    }
    expect(ids.size).toBe(10_000);
    expect([...ids].every((id) => /^[0-9a-f]{8}$/.test(id))).toBe(true);
  });

  it('WS-41 a drawn client ID that somebody has is drawn again', async () => {
    const t = await openTestRegistry();
    succeeded(await create(t, waveshareInput({ clientId: '00010203' })));
    succeeded(await create(t, basicInput({ clientId: '04050607' })));
    const draws = [Uint8Array.of(0, 1, 2, 3), Uint8Array.of(4, 5, 6, 7), Uint8Array.of(8, 9, 10, 255)];
    const { randomBytes } = t.crypto;
    t.crypto.randomBytes = (length) => (length === 4 ? draws.shift() : undefined) ?? randomBytes.call(t.crypto, length);
    const { id } = succeeded(await create(t, waveshareInput()));
    expect(t.credentials.ofDevice?.(id)?.clientId).toBe('08090aff');
    expect(draws).toEqual([]);
  });

  it('new topics have the number of the account and of the product', async () => {
    const t = await openTestRegistry();
    const transport = { type: 'WAVESHARE', n2: '498', attributes: [] };
    const relays = profileInput('relays', {
      transportType: 'WAVESHARE',
      profileData: { transportConfiguration: transport },
    });
    succeeded(await t.profiles.save(t.admin, relays));
    const derived = accountNumber(t.admin.tenantId, {});
    expect(derived).toBe(String(Number.parseInt(t.admin.tenantId.slice(0, 8), 16) % 1_000_000));
    const topicOf = async (accountId: string | undefined, type: string) => {
      const input = waveshareInput({ clientId: null, ...(accountId === undefined ? {} : { accountId }) });
      return (await burntIn(t, succeeded(await create(t, input, type)).id)).pubTopic;
    };
    expect(await topicOf(undefined, 'relays')).toMatch(new RegExp(`^Pub/${derived}/498/[0-9a-f]{8}$`));
    expect(await topicOf(undefined, 'made on the way')).toMatch(new RegExp(`^Pub/${derived}/1/[0-9a-f]{8}$`));
    const numbered = await account(t, { n1: '0459' });
    const unnumbered = await account(t);
    expect(await topicOf(numbered, 'relays')).toMatch(/^Pub\/0459\/498\//);
    expect(await topicOf(unnumbered, 'relays')).toMatch(new RegExp(`^Pub/${accountNumber(unnumbered, {})}/498/`));
    await account(t, { n1: '68', default: true });
    expect(await topicOf(undefined, 'relays')).toMatch(/^Pub\/68\/498\//);
  });

  it('new topics after a change of the profile have its number, also when both change at once', async () => {
    const t = await openTestRegistry();
    const profileData = { transportConfiguration: { type: 'WAVESHARE', product: 'RELAY_6CH' } };
    succeeded(await t.profiles.save(t.admin, profileInput('relays', { transportType: 'WAVESHARE', profileData })));
    const { id, name } = succeeded(await create(t, waveshareInput({ clientId: 'x' })));
    const again = deviceInput(name, { id, type: 'relays' });
    succeeded(await t.devices.saveWithCredentials(t.admin, again, waveshareInput({ clientId: 'x' })));
    expect((await burntIn(t, id)).pubTopic).toMatch(/\/54\/x$/);
    const record = succeeded(await t.devices.credentials(t.admin, id));
    const renewed = waveshareInput({ clientId: 'y' }, { id: record.id });
    expect(succeeded(await t.devices.saveCredentials(t.admin, id, renewed)).credentialsValue).toMatch(/\/54\/y"/);
  });

  it('an account is one of the tenant and of the dialect', async () => {
    const t = await openTestRegistry();
    const message = 'The accountId is not the id of a waveshare application of this tenant';
    const plain = succeeded(await t.applications.save(t.admin, applicationInput('plain')));
    const tenant = sampleTenant();
    await t.repositories.commit([{ kind: 'putTenant', record: tenant }]);
    const stranger = callerOf('TENANT_ADMIN', tenant.id);
    const theirs = succeeded(await t.applications.save(stranger, applicationInput('theirs', { dialect: 'waveshare' })));
    for (const accountId of [plain.id, theirs.id, 'x', t.admin.tenantId]) {
      expect(await create(t, waveshareInput({ accountId }))).toEqual({ ok: false, code: 'invalidArguments', message });
    }
  });

  it('a device of an account says so, also over a restart, and its password is sealed', async () => {
    const t = await openTestRegistry();
    const accountId = await account(t, { n1: '59' });
    const input = waveshareInput({ clientId: 'x', password: 'top secret', accountId: accountId.toUpperCase() });
    const { id } = succeeded(await create(t, input));
    expect(await burntIn(t, id)).toMatchObject({ password: 'top secret', accountId });
    expect(JSON.stringify(await t.repositories.credentials(id))).not.toMatch(/top secret|Pub/);
    for (const registry of [t, await restarted(t)]) {
      const found = registry.credentials.ofDevice?.(id);
      expect(found?.password).toBe('top secret');
      expect(found?.secret?.('accountId')).toBe(accountId);
      expect(found?.secret?.('unknown')).toBeNull();
      expect(found?.secret?.('constructor')).toBeNull();
      expect(await registry.applications.remove(t.admin, accountId)).toMatchObject({
        code: 'badRequest',
        message: 'The application cannot be deleted as long as devices belong to its account!',
      });
    }
  });

  it('the default account is none by id, whatever application speaks for it', async () => {
    const t = await openTestRegistry();
    const accountId = await account(t, { default: true });
    const { id } = succeeded(await create(t, waveshareInput({ clientId: 'x', accountId })));
    expect(await burntIn(t, id)).not.toHaveProperty('accountId');
    expect(t.credentials.ofDevice?.(id)?.secret?.('accountId')).toBeNull();
    succeeded(await t.applications.remove(t.admin, accountId));
  });

  it('a change of credentials cuts the connection and moves the device to the other account', async () => {
    const t = await openTestRegistry();
    const [one, two] = [await account(t), await account(t)];
    const { id } = succeeded(await create(t, waveshareInput({ ...BURNT_IN, accountId: one })));
    const record = succeeded(await t.devices.credentials(t.admin, id));
    const save = (value: Parameters<typeof waveshareInput>[0]) =>
      t.devices.saveCredentials(t.admin, id, waveshareInput(value, { id: record.id }));
    succeeded(await save({ ...BURNT_IN, accountId: one }));
    expect(t.revoked).toEqual([]);
    succeeded(await save({ ...BURNT_IN, accountId: two }));
    expect(t.revoked).toEqual([`credentialsChanged ${id}`]);
    succeeded(await t.applications.remove(t.admin, one));
    expect((await t.applications.remove(t.admin, two)).ok).toBe(false);
    succeeded(await t.devices.remove(t.admin, id));
    succeeded(await t.applications.remove(t.admin, two));
  });

  it('nothing enters an account that is being deleted, and none is deleted that something is about to enter', async () => {
    for (const deleteFirst of [true, false]) {
      const t = await openTestRegistry();
      const accountId = await account(t);
      const remove = () => t.applications.remove(t.admin, accountId);
      const enter = () => create(t, waveshareInput({ accountId }));
      const [first, second] = deleteFirst ? [remove, enter] : [enter, remove];
      const answers = await Promise.all([first(), second()]);
      expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
      const isThere = t.credentials.application?.(accountId) !== undefined;
      expect((await enter()).ok).toBe(isThere);
    }
  });
});
