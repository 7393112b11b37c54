import {
  credentialsInput,
  deviceInput,
  listQuery,
  MemoryRepositories,
  openTestRegistry,
  profileInput,
  succeeded,
} from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { FakeServerAttributes } from '../claiming/test-attributes.ts';

async function scene(deviceLimit: number | null = null) {
  const repositories = new MemoryRepositories();
  const t = await openTestRegistry({ repositories });
  const onboarding = await t.openOnboarding({ attributes: new FakeServerAttributes(), deviceLimit });
  const profile = succeeded(await t.profiles.save(t.admin, profileInput('lamps')));
  const create = (names: readonly string[], token: string | null = null, profileId = profile.id) =>
    onboarding.admission.create(profileId, names, credentialsInput('ACCESS_TOKEN', { credentialsId: token }));
  const count = async () => succeeded(await t.devices.list(t.admin, listQuery())).totalElements;
  return { ...t, ...onboarding, repositories, profile, create, count };
}

describe('devices that came unannounced', () => {
  it('are made in the tenant of the profile, under the first name that is free', async () => {
    const s = await scene();
    expect(await s.create(['a', 'b'])).toMatchObject({
      outcome: 'created',
      device: { name: 'a', tenantId: s.profile.tenantId, profileId: s.profile.id },
    });
    expect(await s.create(['a', 'b'])).toMatchObject({ outcome: 'created', device: { name: 'b' } });
    expect(await s.create(['a', 'b'])).toEqual({ outcome: 'refused', reason: expect.stringContaining('name') });
  });

  it('are made once for the same credentials, also when they come at once', async () => {
    const s = await scene();
    const calls = Array.from({ length: 5 }, (_, index) => s.create(['a', `b${index}`], 'the token'));
    const outcomes = (await Promise.all(calls)).map(({ outcome }) => outcome).sort();
    expect(outcomes).toEqual(['created', 'refused', 'refused', 'refused', 'refused']);
    expect(await s.count()).toBe(1);
  });

  it('are counted together with those behind gateways', async () => {
    const s = await scene(3);
    const input = deviceInput('gw', { additionalInfo: { gateway: true } });
    const { id } = succeeded(await s.devices.save(s.admin, input, { accessToken: null }));
    const gateway = s.deviceRef(id);
    if (gateway === undefined) throw new TypeError('the gateway is missing');
    const outcomes = await Promise.all([
      s.create(['a']),
      s.gateways.ensure(gateway, 'b', null),
      s.create(['c']),
      s.gateways.ensure(gateway, 'd', null),
    ]);
    expect(outcomes.filter(({ outcome }) => outcome === 'refused')).toHaveLength(2);
    expect(await s.count()).toBe(3);
  });

  it('are not made where the profile is gone, and the trouble of the store is passed on', async () => {
    const s = await scene();
    expect(await s.create(['a'], null, s.defaultTenant.id)).toMatchObject({ outcome: 'refused' });
    s.repositories.troubles.push('full');
    expect(await s.create(['a'])).toEqual({ outcome: 'full' });
    Object.assign(s.repositories, { profile: () => Promise.reject(new Error('broken')) });
    expect(await s.create(['a'])).toEqual({ outcome: 'failed' });
    expect(s.reports).toHaveLength(1);
  });
});
