import {
  credentialsInput,
  deviceInput,
  MemoryRepositories,
  openTestRegistry,
  profileInput,
  succeeded,
  type TestRegistry,
} from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { FakeServerAttributes } from '../claiming/test-attributes.ts';
import type { JsonObject } from '../model/entities.ts';
import type { ProvisionRequest } from '../model/provisioning.ts';
import type { Repositories } from '../ports/repositories.ts';
import type { OnboardingOptions } from '../registry/onboarding.ts';

const KEY = 'key1key1key1key1key1';
const SECRET = 'secret1secret1secret';

const request = (parts: Partial<ProvisionRequest> = {}): ProvisionRequest => ({
  deviceKey: KEY,
  deviceSecret: SECRET,
  deviceName: 'boat',
  credentialsType: null,
  token: null,
  clientId: null,
  username: null,
  password: null,
  certificate: null,
  gateway: false,
  ...parts,
});

interface Scene {
  readonly strategy?: string;
  readonly repositories?: Repositories;
  readonly options?: Partial<OnboardingOptions>;
}

/** A profile that provisions. */
async function scene({ strategy = 'ALLOW_CREATE_NEW_DEVICES', repositories, options = {} }: Scene = {}) {
  const t = await openTestRegistry(repositories === undefined ? {} : { repositories });
  const attributes = new FakeServerAttributes();
  const onboarding = await t.openOnboarding({ attributes, ...options });
  const provisionConfiguration: JsonObject = { type: strategy, provisionDeviceSecret: SECRET };
  const parts = { provisionType: strategy, provisionDeviceKey: KEY, profileData: { provisionConfiguration } };
  const profile = succeeded(await t.profiles.save(t.admin, profileInput('fleet', parts)));
  const provision = (given: Partial<ProvisionRequest> = {}) => onboarding.provisioning.provision(request(given));
  return { ...t, ...onboarding, attributes, profile, provision };
}

const idOf = (t: TestRegistry, name: string) => t.deviceRefByName(t.admin.tenantId, name)?.id ?? '';
const NOT_FOUND = { status: 'NOT_FOUND' };
const FAILURE = { status: 'FAILURE', reason: expect.any(String) };

describe('provisioning that creates devices', () => {
  it('TB-70 gives a new device a token that works', async () => {
    const s = await scene();
    const answer = await s.provision();
    expect(answer).toEqual({
      status: 'SUCCESS',
      credentialsType: 'ACCESS_TOKEN',
      credentialsValue: expect.stringMatching(/^[A-Za-z0-9]{20}$/),
    });
    if (typeof answer === 'string' || answer.status !== 'SUCCESS') throw new TypeError('refused');
    expect(s.credentials.byUsername(answer.credentialsValue)?.credentials[0]?.device).toMatchObject({
      name: 'boat',
      profileId: s.profile.id,
      gateway: false,
    });
    expect(s.attributes.get(idOf(s, 'boat'), 'provisionState')).toBe('provisioned');
  });

  it('TB-70 makes a name where none is given, another one every time', async () => {
    const s = await scene();
    for (const deviceName of [null, null, ''])
      expect(await s.provision({ deviceName })).toMatchObject({ status: 'SUCCESS' });
    const names = succeeded(await s.devices.list(s.admin, listAll)).data.map(({ name }) => name);
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name).toMatch(/^[A-Za-z0-9]{20}$/);
  });

  it('trims the name and refuses one of blanks', async () => {
    const s = await scene();
    await s.provision({ deviceName: '  boat ' });
    expect(idOf(s, 'boat')).not.toBe('');
    expect(await s.provision({ deviceName: ' \t' })).toEqual(FAILURE);
    expect(await s.provision({ deviceName: 'x'.repeat(256) })).toEqual(FAILURE);
  });

  it('TB-71 sets the credentials asked for and answers with them', async () => {
    const s = await scene();
    const token = await s.provision({ deviceName: 'a', credentialsType: 'ACCESS_TOKEN', token: 'MY_TOKEN' });
    expect(token).toEqual({ status: 'SUCCESS', credentialsType: 'ACCESS_TOKEN', credentialsValue: 'MY_TOKEN' });
    const basic = { credentialsType: 'MQTT_BASIC', clientId: 'c', username: 'u', password: 'p' } as const;
    expect(await s.provision({ deviceName: 'b', ...basic })).toEqual({
      status: 'SUCCESS',
      credentialsType: 'MQTT_BASIC',
      credentialsValue: '{"clientId":"c","userName":"u","password":"p"}',
    });
    expect(s.credentials.byUsername('u')?.credentials[0]).toMatchObject({ clientId: 'c', password: 'p' });
    const certificate = '-----BEGIN CERTIFICATE-----\nQUJD\nREVG\n-----END CERTIFICATE-----';
    const x509 = await s.provision({ deviceName: 'c', credentialsType: 'X509_CERTIFICATE', certificate });
    expect(x509).toEqual({ status: 'SUCCESS', credentialsType: 'X509_CERTIFICATE', credentialsValue: 'QUJDREVG' });
    expect(s.credentials.byCertificate(s.crypto.sha3_256('QUJDREVG'))?.device?.name).toBe('c');
  });

  it('TB-75 counts null members as absent: a type alone gets a random token, parts of a user name none', async () => {
    const s = await scene();
    expect(await s.provision({ deviceName: 'a', credentialsType: 'MQTT_BASIC' })).toMatchObject({
      credentialsType: 'ACCESS_TOKEN',
    });
    expect(await s.provision({ deviceName: 'b', credentialsType: 'MQTT_BASIC', username: 'u' })).toMatchObject({
      credentialsValue: '{"clientId":null,"userName":"u","password":null}',
    });
  });

  it('refuses credentials that are in use or cannot be saved, and creates nothing', async () => {
    const s = await scene();
    await s.provision({ deviceName: 'a', token: 'TAKEN' });
    expect(await s.provision({ deviceName: 'b', token: 'TAKEN' })).toEqual(FAILURE);
    const password = { credentialsType: 'MQTT_BASIC', clientId: 'c', password: 'p' } as const;
    expect(await s.provision({ deviceName: 'b', ...password })).toEqual(FAILURE);
    expect(await s.provision({ deviceName: 'b', credentialsType: 'PLAIN', username: 'u' })).toEqual(FAILURE);
    expect(idOf(s, 'b')).toBe('');
  });

  it('TB-72 refuses a name that exists, in any profile', async () => {
    const s = await scene();
    await s.devices.save(s.admin, deviceInput('boat'), { accessToken: null });
    expect(await s.provision()).toEqual(FAILURE);
  });

  it('TB-72 knows nothing of a wrong key, a wrong secret, or a profile that provisions no more', async () => {
    const s = await scene();
    for (const parts of [{ deviceKey: 'other' }, { deviceKey: '' }, { deviceSecret: 'other' }, { deviceSecret: '' }]) {
      expect(await s.provision(parts)).toEqual(NOT_FOUND);
    }
    const disabled = profileInput('fleet', { id: s.profile.id, provisionType: 'DISABLED' });
    expect(succeeded(await s.profiles.save(s.admin, disabled)).provisionDeviceKey).toBeNull();
    expect(await s.provision()).toEqual(NOT_FOUND);
  });

  it('TB-77 makes a gateway', async () => {
    const s = await scene();
    await s.provision({ gateway: true });
    expect(s.deviceRef(idOf(s, 'boat'))?.gateway).toBe(true);
  });

  it('passes on the trouble of the store, and leaves no nameless device behind', async () => {
    const repositories = new MemoryRepositories();
    const s = await scene({ repositories });
    repositories.troubles.push('full');
    expect(await s.provision()).toBe('full');
    s.attributes.troubles.push('failed');
    expect(await s.provision({ deviceName: null })).toBe('failed');
    expect(succeeded(await s.devices.list(s.admin, listAll)).totalElements).toBe(0);
  });

  it('says so, and reports it, when the store cannot be read', async () => {
    const repositories = new MemoryRepositories();
    const s = await scene({ repositories });
    Object.assign(repositories, { profile: () => Promise.reject(new TypeError('unreadable')) });
    expect(await s.provision()).toBe('failed');
    expect(s.reports).toEqual([new TypeError('unreadable')]);
  });

  it('asks for no list, however many devices there are', async () => {
    const repositories = new MemoryRepositories();
    const s = await scene({ repositories });
    const refuse = () => Promise.reject(new TypeError('a list was read'));
    Object.assign(repositories, { documents: refuse, devices: refuse, profiles: refuse, deviceIds: refuse });
    for (let count = 0; count < 200; count += 1) {
      expect(await s.provision({ deviceName: `boat ${count}` })).toMatchObject({ status: 'SUCCESS' });
    }
    expect(s.reports).toEqual([]);
  });
});

const listAll = {
  pageSize: 100,
  page: 0,
  textSearch: null,
  sortProperty: null,
  sortOrder: 'ASC',
  type: null,
  deviceProfileId: null,
} as const;

describe('a repeated request', () => {
  it('gets the same credentials for ten minutes', async () => {
    const s = await scene();
    const first = await s.provision();
    s.clock.advance(599_999);
    expect(await s.provision()).toEqual(first);
    s.clock.advance(1);
    expect(await s.provision()).toEqual(FAILURE);
  });

  it('gets nothing once the device has connected', async () => {
    const repositories = new MemoryRepositories();
    const s = await scene({ repositories });
    await s.provision();
    s.provisioning.connected(idOf(s, 'boat'));
    expect(await s.provision()).toEqual(FAILURE);
    await s.settled();
    const later = await openTestRegistry({ repositories });
    const again = await later.openOnboarding({ attributes: s.attributes });
    expect(await again.provisioning.provision(request())).toEqual(FAILURE);
  });

  it('gets the same after a restart of the server', async () => {
    const repositories = new MemoryRepositories();
    const s = await scene({ repositories });
    const first = await s.provision();
    const later = await openTestRegistry({ repositories });
    const again = await later.openOnboarding({ attributes: s.attributes });
    expect(await again.provisioning.provision(request())).toEqual(first);
    expect(await again.provisioning.provision(request({ deviceSecret: 'other' }))).toEqual(NOT_FOUND);
  });

  it('is answered with one device when two come at once', async () => {
    const s = await scene();
    const [a, b] = await Promise.all([s.provision(), s.provision()]);
    expect(a).toMatchObject({ status: 'SUCCESS' });
    expect(b).toEqual(a);
    expect(succeeded(await s.devices.list(s.admin, listAll)).totalElements).toBe(1);
  });

  it('is refused when the window is switched off', async () => {
    const s = await scene({ options: { repeatWindowMs: 0 } });
    await s.provision();
    expect(await s.provision()).toEqual(FAILURE);
  });

  it('finishes what the store of attributes did not keep the first time', async () => {
    const s = await scene();
    s.attributes.troubles.push('failed');
    expect(await s.provision()).toBe('failed');
    expect(await s.provision()).toMatchObject({ status: 'SUCCESS' });
    expect(s.attributes.get(idOf(s, 'boat'), 'provisionState')).toBe('provisioned');
  });

  it('leaves nothing behind in storage when its time is over', async () => {
    const repositories = new MemoryRepositories();
    const s = await scene({ repositories });
    await s.provision({ deviceName: 'a' });
    await s.provision({ deviceName: 'b' });
    const [a, b] = [idOf(s, 'a'), idOf(s, 'b')];
    const kept = async () => {
      const collection = { name: 'provision_repeat', filters: [], sorts: [], search: [], unique: [] };
      const ids = await Promise.all([a, b].map((id) => repositories.document(collection, id)));
      return ids.filter((document) => document !== null).length;
    };
    expect(await kept()).toBe(2);
    s.clock.advance(600_000);
    await s.provision({ deviceName: 'c' });
    expect(await kept()).toBe(0);
  });
});

describe('provisioning of devices that exist', () => {
  const preProvisioned = async () => {
    const s = await scene({ strategy: 'CHECK_PRE_PROVISIONED_DEVICES' });
    const input = deviceInput('boat', { deviceProfileId: s.profile.id });
    await s.devices.save(s.admin, input, { accessToken: 'STORED' });
    return s;
  };

  it('TB-73 gives the existing credentials once, then refuses', async () => {
    const s = await preProvisioned();
    const answer = { status: 'SUCCESS', credentialsType: 'ACCESS_TOKEN', credentialsValue: 'STORED' };
    expect(await s.provision({ token: 'WANTED' })).toEqual(answer);
    expect(s.attributes.get(idOf(s, 'boat'), 'provisionState')).toBe('provisioned');
    expect(await s.provision()).toEqual(FAILURE);
  });

  it('gives them to one of two requests at once', async () => {
    const s = await preProvisioned();
    const answers = await Promise.all([s.provision(), s.provision()]);
    expect(answers).toEqual([expect.objectContaining({ status: 'SUCCESS' }), FAILURE]);
  });

  it('opens the credentials of the basic type, and hands out none of another vendor', async () => {
    const s = await preProvisioned();
    const credentialsValue = JSON.stringify({ clientId: null, userName: 'u', password: 'p' });
    const input = (name: string) => deviceInput(name, { deviceProfileId: s.profile.id });
    await s.devices.saveWithCredentials(s.admin, input('basic'), credentialsInput('MQTT_BASIC', { credentialsValue }));
    await s.devices.saveWithCredentials(s.admin, input('plain'), credentialsInput('PLAIN'));
    expect(await s.provision({ deviceName: 'basic' })).toMatchObject({ credentialsValue });
    expect(await s.provision({ deviceName: 'plain' })).toEqual(FAILURE);
    expect(s.attributes.get(idOf(s, 'plain'), 'provisionState')).toBeUndefined();
  });

  it('refuses an unknown name, no name, and a device of another profile', async () => {
    const s = await preProvisioned();
    await s.devices.save(s.admin, deviceInput('other'), { accessToken: null });
    for (const deviceName of ['nobody', null, 'other']) expect(await s.provision({ deviceName })).toEqual(FAILURE);
  });
});

describe('profiles that provision', () => {
  it('get a key and a secret of 20 lower-case characters, and keep them', async () => {
    const t = await openTestRegistry();
    const parts = { provisionType: 'ALLOW_CREATE_NEW_DEVICES' };
    const saved = succeeded(await t.profiles.save(t.admin, profileInput('fleet', parts)));
    expect(saved.provisionDeviceKey).toMatch(/^[a-z0-9]{20}$/);
    const configuration = saved.profileData.provisionConfiguration;
    expect(configuration).toEqual({
      type: 'ALLOW_CREATE_NEW_DEVICES',
      provisionDeviceSecret: expect.stringMatching(/^[a-z0-9]{20}$/),
    });
    const data = { provisionConfiguration: { type: 'CHECK_PRE_PROVISIONED_DEVICES' } };
    const update = { id: saved.id, provisionType: 'CHECK_PRE_PROVISIONED_DEVICES', profileData: data };
    const changed = succeeded(await t.profiles.save(t.admin, profileInput('fleet', update)));
    expect(changed.provisionDeviceKey).toBe(saved.provisionDeviceKey);
    expect(changed.profileData.provisionConfiguration).toEqual({
      ...Object(configuration),
      type: 'CHECK_PRE_PROVISIONED_DEVICES',
    });
  });

  it('have a key that is unique on the server', async () => {
    const s = await scene();
    const parts = { provisionType: 'ALLOW_CREATE_NEW_DEVICES', provisionDeviceKey: KEY };
    expect(await s.profiles.save(s.admin, profileInput('other', parts))).toMatchObject({
      code: 'badRequest',
      message: 'Device profile with such provision device key already exists!',
    });
    expect(await s.provision()).toMatchObject({ status: 'SUCCESS' });
  });

  it('are known again after a restart, and forgotten when deleted', async () => {
    const repositories = new MemoryRepositories();
    const s = await scene({ repositories });
    const later = await openTestRegistry({ repositories });
    const again = await later.openOnboarding({ attributes: s.attributes });
    expect(await again.provisioning.provision(request({ deviceSecret: 'x' }))).toEqual(NOT_FOUND);
    await later.profiles.remove(later.admin, s.profile.id);
    expect(await again.provisioning.provision(request())).toEqual(NOT_FOUND);
  });

  it('do not show their secrets to customer users', async () => {
    const s = await scene();
    const user = {
      ...s.admin,
      authority: 'CUSTOMER_USER',
      customerId: '00000000-0000-4000-8000-00000000000c',
    } as const;
    const shown = succeeded(await s.profiles.get(user, s.profile.id));
    expect(JSON.stringify(shown)).not.toContain(SECRET);
    expect(shown.provisionDeviceKey).toBeNull();
    const list = succeeded(await s.profiles.list(user, listAll));
    expect(JSON.stringify(list)).not.toContain(SECRET);
    expect(JSON.stringify(succeeded(await s.profiles.get(s.admin, s.profile.id)))).toContain(SECRET);
  });
});
