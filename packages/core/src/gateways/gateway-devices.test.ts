import { deviceInput, listQuery, MemoryRepositories, openTestRegistry, succeeded } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { FakeServerAttributes } from '../claiming/test-attributes.ts';

/** Two gateways of one tenant. */
async function scene(deviceLimit: number | null = null) {
  const repositories = new MemoryRepositories();
  const t = await openTestRegistry({ repositories });
  const { gateways } = await t.openOnboarding({ attributes: new FakeServerAttributes(), deviceLimit });
  const gateway = async (name: string) => {
    const input = deviceInput(name, { additionalInfo: { gateway: true } });
    const { id } = succeeded(await t.devices.save(t.admin, input, { accessToken: null }));
    const ref = t.deviceRef(id);
    if (ref === undefined) throw new TypeError('the gateway is missing');
    return ref;
  };
  const [first, second] = [await gateway('first'), await gateway('second')];
  const byName = async (name: string) => succeeded(await t.devices.byName(t.admin, name));
  return { ...t, repositories, gateways, first, second, byName };
}

describe('devices behind a gateway', () => {
  it('TB-88 are created with their profile, and note the gateway', async () => {
    const s = await scene();
    const ensured = await s.gateways.ensure(s.first, 'A', 'Sensor');
    expect(ensured).toMatchObject({
      outcome: 'found',
      device: { name: 'A', tenantId: s.first.tenantId, gateway: false },
    });
    expect(await s.byName('A')).toMatchObject({ type: 'Sensor', additionalInfo: { lastConnectedGateway: s.first.id } });
    await s.gateways.ensure(s.first, 'B', null);
    expect((await s.byName('B')).type).toBe('default');
  });

  it('are found in memory when they are behind the same gateway again', async () => {
    const s = await scene();
    const created = await s.gateways.ensure(s.first, 'A', null);
    const { version } = await s.byName('A');
    const refuse = () => Promise.reject(new TypeError('the store was asked'));
    Object.assign(s.repositories, { device: refuse, commit: refuse });
    expect(await s.gateways.ensure(s.first, 'A', 'Other')).toEqual(created);
    expect((await s.byName('A')).version).toBe(version);
  });

  it('note another gateway, and what they had before stays', async () => {
    const s = await scene();
    const input = deviceInput('A', { additionalInfo: { description: 'x', lastConnectedGateway: 'old' } });
    await s.devices.save(s.admin, input, { accessToken: null });
    for (const gateway of [s.first, s.second, s.second]) {
      expect(await s.gateways.ensure(gateway, 'A', null)).toMatchObject({ outcome: 'found' });
    }
    const device = await s.byName('A');
    expect(device.additionalInfo).toEqual({ description: 'x', lastConnectedGateway: s.second.id });
    expect(device.version).toBe(3);
  });

  it('TB-95 are told of when they are renamed and deleted, to a gateway of their tenant alone', async () => {
    const s = await scene();
    const told: unknown[] = [];
    s.addListener({
      revoked() {},
      deviceChanged() {},
      sharedAttributesChanged() {},
      behindGatewayChanged: (...change) => void told.push(change),
    });
    await s.gateways.ensure(s.first, 'A', null);
    const { id, additionalInfo } = await s.byName('A');
    await s.devices.save(s.admin, deviceInput('B', { id, additionalInfo }), { accessToken: null });
    await s.devices.save(s.admin, deviceInput('B', { id, additionalInfo, label: 'x' }), { accessToken: null });
    await s.devices.remove(s.admin, id);
    expect(told).toEqual([
      [s.first.id, 'A', 'B'],
      [s.first.id, 'B', null],
    ]);
    for (const lastConnectedGateway of ['no such device', id, 7]) {
      const input = deviceInput(`C ${lastConnectedGateway}`, { additionalInfo: { lastConnectedGateway } });
      const other = succeeded(await s.devices.save(s.admin, input, { accessToken: null }));
      await s.devices.remove(s.admin, other.id);
    }
    expect(told).toHaveLength(2);
  });

  it('are one device for many calls at once', async () => {
    const s = await scene();
    const calls = Array.from({ length: 20 }, () => s.gateways.ensure(s.first, 'A', 'Sensor'));
    const [one, ...others] = await Promise.all(calls);
    expect(one).toMatchObject({ outcome: 'found' });
    for (const other of others) expect(other).toEqual(one);
    expect(succeeded(await s.devices.list(s.admin, listQuery())).totalElements).toBe(3);
  });

  it('are refused above the limit of the tenant, also when they come at once', async () => {
    const s = await scene(4);
    const calls = ['A', 'B', 'C', 'D'].map((name) => s.gateways.ensure(s.first, name, null));
    const outcomes = (await Promise.all(calls)).map(({ outcome }) => outcome).sort();
    expect(outcomes).toEqual(['found', 'found', 'refused', 'refused']);
    expect(succeeded(await s.devices.list(s.admin, listQuery())).totalElements).toBe(4);
  });

  it('are refused without a name, with one that cannot be kept, and as the gateway itself', async () => {
    const s = await scene();
    for (const name of ['', '  ', 'x'.repeat(256), 'a<b>', 'first']) {
      expect(await s.gateways.ensure(s.first, name, null), name).toEqual({
        outcome: 'refused',
        reason: expect.any(String),
      });
    }
  });

  it('are made again after they were deleted', async () => {
    const s = await scene();
    const created = await s.gateways.ensure(s.first, 'A', null);
    await s.devices.remove(s.admin, (await s.byName('A')).id);
    const again = await s.gateways.ensure(s.first, 'A', null);
    expect(again).toMatchObject({ outcome: 'found' });
    expect(again).not.toEqual(created);
  });

  it('pass on the trouble of the store; a note that is not kept keeps nobody out', async () => {
    const s = await scene();
    s.repositories.troubles.push('full');
    expect(await s.gateways.ensure(s.first, 'A', null)).toEqual({ outcome: 'full' });
    await s.gateways.ensure(s.first, 'A', null);
    s.repositories.troubles.push('failed');
    expect(await s.gateways.ensure(s.second, 'A', null)).toMatchObject({ outcome: 'found' });
    await s.gateways.ensure(s.second, 'A', null);
    expect((await s.byName('A')).additionalInfo).toEqual({ lastConnectedGateway: s.second.id });
  });
});
