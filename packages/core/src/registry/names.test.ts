import {
  applicationInput,
  basicInput,
  credentialsInput,
  deviceInput,
  MemoryRepositories,
  openTestRegistry,
  plainInput,
  succeeded,
  type TestRegistry,
  waveshareInput,
} from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { PLATFORM_ERRORS } from '../errors.ts';
import type { CredentialsInput } from '../platform.ts';

let devices = 0;
const create = (t: TestRegistry, credentials: CredentialsInput) => {
  devices += 1;
  return t.devices.saveWithCredentials(t.admin, deviceInput(`device ${devices}`), credentials);
};
const token = (credentialsId: string) => credentialsInput('ACCESS_TOKEN', { credentialsId });

const waveshare = (clientId: string) => waveshareInput({ clientId });
const alibaba = (name: string) => credentialsInput('ALIBABA', { credentialsId: name });
const saveApplication = (t: TestRegistry, dialect: string, credentials: Record<string, string>, enabled = true) =>
  t.applications.save(t.admin, applicationInput('app', { dialect, credentials, enabled }));

/** Every way to occupy a user name. */
const WAYS: Readonly<
  Record<string, (t: TestRegistry, name: string) => Promise<{ readonly ok: boolean; readonly message?: string }>>
> = {
  'access token': (t, name) => create(t, token(name)),
  'MQTT_BASIC user name': (t, name) => create(t, basicInput({ userName: name })),
  'plain device': (t, name) => create(t, plainInput(name)),
  'plain application': (t, name) => saveApplication(t, 'plain', { username: name }),
  AppID: (t, name) => saveApplication(t, 'sensoro', { appId: name }),
  'ThingScale ID': (t, name) => saveApplication(t, 'thingscale', { userId: name }),
  'ALIBABA name': (t, name) => create(t, alibaba(name)),
};
const isThingsBoard = (way: string) => way === 'access token' || way === 'MQTT_BASIC user name';
/** A name that can be meant by both ways; an ALIBABA name has a character that no AppID and no ThingScale ID has. */
const nameFor = (...ways: readonly string[]) => (ways.includes('ALIBABA name') ? 'lamp-01&pk' : 'U123456');
const PAIRS = Object.keys(WAYS).flatMap((first) => Object.keys(WAYS).map((second) => [first, second] as const));
const canMeet = ([first, second]: readonly [string, string]) =>
  ![first, second].includes('ALIBABA name') ||
  ![first, second].some((way) => way === 'AppID' || way === 'ThingScale ID');

describe('names of the whole server', () => {
  it('REC-15 a token of the form of a ThingScale ID logs in, and keeps the name from every other dialect', async () => {
    const t = await openTestRegistry();
    expect((await create(t, token('U123456'))).ok).toBe(true);
    expect(t.credentials.byUsername('U123456')?.dialect).toBe('thingsboard');
    expect((await create(t, plainInput('U123456'))).ok).toBe(false);
    const refused = await saveApplication(t, 'thingscale', { userId: 'U123456' });
    expect(refused).toMatchObject({ code: 'invalidArguments', message: expect.stringContaining('thingsboard') });
    expect(PLATFORM_ERRORS.invalidArguments.httpStatus).toBe(400);
  });

  it('REC-15 a ThingScale ID keeps its name from a token', async () => {
    const t = await openTestRegistry();
    expect((await saveApplication(t, 'thingscale', { userId: 'U123456' })).ok).toBe(true);
    expect(t.credentials.byUsername('U123456')?.dialect).toBe('thingscale');
    const refused = await create(t, token('U123456'));
    expect(refused).toMatchObject({ code: 'badRequest', message: 'Specified credentials are already registered!' });
    expect(PLATFORM_ERRORS.badRequest.httpStatus).toBe(400);
  });

  it.each(PAIRS.filter(canMeet))('REC-16 refuses a %s that a %s has', async (second, first) => {
    const t = await openTestRegistry();
    const name = nameFor(first, second);
    expect((await WAYS[first]?.(t, name))?.ok).toBe(true);
    const refused = await WAYS[second]?.(t, name);
    expect(refused).toMatchObject({ ok: false, code: isThingsBoard(second) ? 'badRequest' : 'invalidArguments' });
    expect(t.credentials.byUsername(name)?.credentials).toHaveLength(1);
  });

  it('REC-16 an ALIBABA name has a form of its own, so that neither an AppID nor a ThingScale ID can be one', async () => {
    const t = await openTestRegistry();
    for (const name of ['lamp-01&pk', 'U12345&']) {
      for (const way of ['AppID', 'ThingScale ID']) expect((await WAYS[way]?.(t, name))?.ok, way).toBe(false);
    }
    expect((await create(t, alibaba('U123456'))).ok).toBe(false);
  });

  it('REC-17 shares a user name between records of different client IDs', async () => {
    const t = await openTestRegistry();
    for (const clientId of ['a', 'b', null]) {
      expect((await create(t, basicInput({ userName: 'fleet', clientId }))).ok).toBe(true);
    }
    expect(t.credentials.byUsername('fleet')?.credentials.map(({ clientId }) => clientId)).toEqual(['a', 'b', null]);
    expect((await create(t, basicInput({ userName: 'fleet', clientId: 'a' }))).ok).toBe(false);
    expect((await create(t, token('fleet'))).ok).toBe(false);
    expect((await create(t, plainInput('fleet'))).ok).toBe(false);
  });

  it('REC-18 keeps client IDs that are a credential in a list of their own', async () => {
    const t = await openTestRegistry();
    expect((await create(t, basicInput({ clientId: 'deadbeef' }))).ok).toBe(true);
    expect((await create(t, basicInput({ clientId: 'deadbeef' }))).ok).toBe(false);
    expect((await create(t, plainInput('deadbeef'))).ok).toBe(true);
    expect(t.credentials.byClientId('deadbeef')?.dialect).toBe('thingsboard');
    expect(t.credentials.byUsername('deadbeef')?.dialect).toBe('plain');
  });

  it('REC-18 refuses a Waveshare import with a client ID that a ThingsBoard credential is, and the other way round', async () => {
    const t = await openTestRegistry();
    expect((await create(t, basicInput({ clientId: 'deadbeef' }))).ok).toBe(true);
    expect(await create(t, waveshare('deadbeef'))).toMatchObject({
      code: 'invalidArguments',
      message: 'This client ID is already in use by a credential of the dialect thingsboard',
    });
    expect((await create(t, waveshare('82b52f8b'))).ok).toBe(true);
    expect(await create(t, basicInput({ clientId: '82b52f8b' }))).toMatchObject({ code: 'badRequest' });
    expect((await create(t, basicInput({ clientId: '82B52F8B' }))).ok).toBe(true);
    expect((await create(t, basicInput({ clientId: '82b52f8b', userName: 'u' }))).ok).toBe(true);
    expect(t.credentials.byClientId('82b52f8b')?.dialect).toBe('waveshare');
  });

  it('a Waveshare client ID may be an access token too: the lists are two', async () => {
    const t = await openTestRegistry();
    expect((await create(t, token('82b52f8b'))).ok).toBe(true);
    expect((await create(t, waveshare('82b52f8b'))).ok).toBe(true);
    expect(t.credentials.byUsername('82b52f8b')?.dialect).toBe('thingsboard');
    expect(t.credentials.byClientId('82b52f8b')?.dialect).toBe('waveshare');
  });

  it.each(Object.keys(WAYS))('REC-19 does not save `provision` as a %s', async (way) => {
    const t = await openTestRegistry();
    expect((await WAYS[way]?.(t, 'provision'))?.ok).toBe(false);
    expect((await create(t, basicInput({ clientId: 'provision' }))).ok).toBe(false);
    expect((await create(t, waveshare('provision'))).ok).toBe(false);
  });

  it('REC-20 names neither device nor tenant in the text of a conflict', async () => {
    const t = await openTestRegistry();
    const owner = deviceInput('Secret device', { label: 'Secret label' });
    const { id } = succeeded(await t.devices.saveWithCredentials(t.admin, owner, token('U123456')));
    for (const [way, save] of Object.entries(WAYS)) {
      const refused = await save(t, 'U123456');
      expect(refused, way).toMatchObject({ ok: false, message: expect.not.stringMatching(/Secret|default/) });
      expect(JSON.stringify(refused)).not.toContain(id);
    }
    for (const refused of [
      await create(t, plainInput('U123456')),
      await saveApplication(t, 'sensoro', { appId: 'U123456' }),
      await saveApplication(t, 'thingscale', { userId: 'U123456' }),
    ]) {
      expect(refused).toMatchObject({
        message: 'This user name is already in use by a credential of the dialect thingsboard',
      });
    }
  });

  it('REC-20 names neither device nor tenant when a client ID is taken', async () => {
    const t = await openTestRegistry();
    const owner = deviceInput('Secret device', { label: 'Secret label' });
    const { id } = succeeded(await t.devices.saveWithCredentials(t.admin, owner, waveshare('82b52f8b')));
    for (const input of [waveshare('82b52f8b'), basicInput({ clientId: '82b52f8b' })]) {
      const refused = await create(t, input);
      expect(refused).toMatchObject({ ok: false, message: expect.not.stringMatching(/Secret|default/) });
      expect(JSON.stringify(refused)).not.toContain(id);
    }
  });

  it('REC-21 lets exactly one of two concurrent requests have a name', async () => {
    for (const [first, second] of PAIRS.filter(canMeet)) {
      const t = await openTestRegistry();
      const name = nameFor(first, second);
      const results = await Promise.all([WAYS[first]?.(t, name), WAYS[second]?.(t, name)]);
      expect(results.filter((result) => result?.ok)).toHaveLength(1);
      expect(t.credentials.byUsername(name)?.credentials).toHaveLength(1);
    }
  });

  it('REC-21 lets exactly one of two concurrent requests have a client ID', async () => {
    for (const inputs of [
      [waveshare('82b52f8b'), basicInput({ clientId: '82b52f8b' })],
      [basicInput({ clientId: '82b52f8b' }), waveshare('82b52f8b')],
      [waveshare('82b52f8b'), waveshare('82b52f8b')],
    ]) {
      const t = await openTestRegistry();
      const results = await Promise.all(inputs.map((input) => create(t, input)));
      expect(results.filter(({ ok }) => ok)).toHaveLength(1);
      expect(t.credentials.byClientId('82b52f8b')?.credentials).toHaveLength(1);
    }
  });

  it('REC-21 frees a name whose commit failed', async () => {
    const repositories = new MemoryRepositories();
    const t = await openTestRegistry({ repositories });
    repositories.troubles.push('failed');
    expect((await create(t, token('name'))).ok).toBe(false);
    expect(t.credentials.byUsername('name')).toBeUndefined();
    expect((await create(t, plainInput('name'))).ok).toBe(true);
  });

  it('REC-22 frees a name with the change or the end of its credential', async () => {
    const t = await openTestRegistry();
    const device = succeeded(await create(t, token('first')));
    const { id } = succeeded(await t.devices.credentials(t.admin, device.id));
    succeeded(await t.devices.saveCredentials(t.admin, device.id, { ...token('second'), id }));
    expect((await create(t, plainInput('first'))).ok).toBe(true);
    succeeded(await t.devices.remove(t.admin, device.id));
    expect((await create(t, plainInput('second'))).ok).toBe(true);
  });

  it('REC-22 keeps the name of a disabled application taken, and frees it with the application', async () => {
    const t = await openTestRegistry();
    const input = applicationInput('app', { enabled: false, credentials: { username: 'name' } });
    const { id } = succeeded(await t.applications.save(t.admin, input));
    expect((await create(t, token('name'))).ok).toBe(false);
    succeeded(await t.applications.remove(t.admin, id));
    expect((await create(t, token('name'))).ok).toBe(true);
  });

  it.each([
    ['sensoro', 'appId'],
    ['thingscale', 'userId'],
  ])(
    'REC-22 a %s application keeps its name while it is disabled and frees it when it changes and ends',
    async (dialect, member) => {
      const t = await openTestRegistry();
      const { id } = succeeded(await saveApplication(t, dialect, { [member]: 'U123456' }, false));
      expect((await create(t, token('U123456'))).ok).toBe(false);
      const changed = { id, dialect, credentials: { [member]: 'U654321' } };
      succeeded(await t.applications.save(t.admin, applicationInput('app', changed)));
      expect((await create(t, token('U123456'))).ok).toBe(true);
      expect((await create(t, token('U654321'))).ok).toBe(false);
      succeeded(await t.applications.remove(t.admin, id));
      expect((await create(t, token('U654321'))).ok).toBe(true);
    },
  );

  it('REC-22 frees a Waveshare client ID with the change or the end of its credential', async () => {
    const t = await openTestRegistry();
    const device = succeeded(await create(t, waveshare('82b52f8b')));
    const { id } = succeeded(await t.devices.credentials(t.admin, device.id));
    succeeded(await t.devices.saveCredentials(t.admin, device.id, { ...waveshare('19ba7e8b'), id }));
    expect((await create(t, basicInput({ clientId: '82b52f8b' }))).ok).toBe(true);
    expect((await create(t, basicInput({ clientId: '19ba7e8b' }))).ok).toBe(false);
    succeeded(await t.devices.remove(t.admin, device.id));
    expect((await create(t, basicInput({ clientId: '19ba7e8b' }))).ok).toBe(true);
  });

  it('draws generated names again until one is free', async () => {
    const t = await openTestRegistry();
    const first = succeeded(await create(t, credentialsInput('ACCESS_TOKEN')));
    const taken = succeeded(await t.devices.credentials(t.admin, first.id)).credentialsId;
    const bytes = Array.from(taken, (character) =>
      'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'.indexOf(character),
    );
    const draws = [Uint8Array.from(bytes), Uint8Array.from(bytes.toReversed())];
    const { randomBytes } = t.crypto;
    t.crypto.randomBytes = (length) =>
      (length === 16 ? undefined : draws.shift()) ?? randomBytes.call(t.crypto, length);
    const second = succeeded(await create(t, credentialsInput('ACCESS_TOKEN')));
    const drawn = succeeded(await t.devices.credentials(t.admin, second.id)).credentialsId;
    expect(drawn).toBe([...taken].toReversed().join(''));
    expect(draws).toEqual([]);
  });
});
