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
} from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { CredentialsInput } from '../platform.ts';

let devices = 0;
const create = (t: TestRegistry, credentials: CredentialsInput) => {
  devices += 1;
  return t.devices.saveWithCredentials(t.admin, deviceInput(`device ${devices}`), credentials);
};
const token = (credentialsId: string) => credentialsInput('ACCESS_TOKEN', { credentialsId });

/** Every way to occupy a user name. */
const WAYS: Readonly<Record<string, (t: TestRegistry, name: string) => Promise<{ readonly ok: boolean }>>> = {
  'access token': (t, name) => create(t, token(name)),
  'MQTT_BASIC user name': (t, name) => create(t, basicInput({ userName: name })),
  'plain device': (t, name) => create(t, plainInput(name)),
  'plain application': (t, name) =>
    t.applications.save(t.admin, applicationInput('app', { credentials: { username: name } })),
};
const PAIRS = Object.keys(WAYS).flatMap((first) => Object.keys(WAYS).map((second) => [first, second] as const));

describe('names of the whole server', () => {
  it('REC-15 a token of the form of a ThingScale ID logs in, and keeps the name from every other dialect', async () => {
    const t = await openTestRegistry();
    expect((await create(t, token('U123456'))).ok).toBe(true);
    expect(t.credentials.byUsername('U123456')?.dialect).toBe('thingsboard');
    expect((await create(t, plainInput('U123456'))).ok).toBe(false);
  });

  it.each(PAIRS)('REC-16 refuses a %s that a %s has', async (second, first) => {
    const t = await openTestRegistry();
    expect((await WAYS[first]?.(t, 'name'))?.ok).toBe(true);
    const refused = await WAYS[second]?.(t, 'name');
    expect(refused?.ok).toBe(false);
    expect(refused).toMatchObject({ code: second.startsWith('plain') ? 'invalidArguments' : 'badRequest' });
    expect(t.credentials.byUsername('name')?.credentials).toHaveLength(1);
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

  it.each(Object.keys(WAYS))('REC-19 does not save `provision` as a %s', async (way) => {
    const t = await openTestRegistry();
    expect((await WAYS[way]?.(t, 'provision'))?.ok).toBe(false);
    expect((await create(t, basicInput({ clientId: 'provision' }))).ok).toBe(false);
  });

  it('REC-20 names neither device nor tenant in the text of a conflict', async () => {
    const t = await openTestRegistry();
    const owner = deviceInput('Secret device', { label: 'Secret label' });
    const { id } = succeeded(await t.devices.saveWithCredentials(t.admin, owner, token('name')));
    for (const [way, save] of Object.entries(WAYS)) {
      const refused = await save(t, 'name');
      expect(refused, way).toMatchObject({ ok: false, message: expect.not.stringMatching(/Secret|default/) });
      expect(JSON.stringify(refused)).not.toContain(id);
    }
    expect(await create(t, plainInput('name'))).toMatchObject({
      message: 'This user name is already in use by a credential of the dialect thingsboard',
    });
  });

  it('REC-21 lets exactly one of two concurrent requests have a name', async () => {
    for (const [first, second] of PAIRS) {
      const t = await openTestRegistry();
      const results = await Promise.all([WAYS[first]?.(t, 'name'), WAYS[second]?.(t, 'name')]);
      expect(results.filter((result) => result?.ok)).toHaveLength(1);
      expect(t.credentials.byUsername('name')?.credentials).toHaveLength(1);
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
