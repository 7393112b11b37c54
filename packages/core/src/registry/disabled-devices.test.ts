import {
  credentialsInput,
  deviceInput,
  MemoryRepositories,
  openTestRegistry,
  succeeded,
  waveshareInput,
} from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { CredentialsInput } from '../platform.ts';

const NAMES = { productKey: 'pk', deviceName: 'lamp-01' };

function alibaba(members: object, parts: Partial<CredentialsInput> = {}): CredentialsInput {
  return credentialsInput('ALIBABA', { credentialsValue: JSON.stringify({ ...NAMES, ...members }), ...parts });
}

async function scene(members: object = {}, additionalInfo: { readonly [member: string]: string } = {}) {
  const repositories = new MemoryRepositories();
  const t = await openTestRegistry({ repositories });
  const told: unknown[] = [];
  t.addListener({
    revoked: (id, reason) => void told.push(`${reason} ${id}`),
    deviceChanged() {},
    sharedAttributesChanged() {},
    deviceEnabled: ({ id }, enabled, gatewayId) => void told.push([id, enabled, gatewayId]),
  });
  const { id } = succeeded(
    await t.devices.saveWithCredentials(t.admin, deviceInput('Lamp', { additionalInfo }), alibaba(members)),
  );
  const kept = async () => {
    const record = succeeded(await t.devices.credentials(t.admin, id));
    return { ...record, value: JSON.parse(record.credentialsValue ?? '') };
  };
  const change = async (members: object) =>
    t.devices.saveCredentials(t.admin, id, alibaba(members, { id: (await kept()).id }));
  const seen = () => t.credentials.ofDevice?.(id);
  return { ...t, repositories, id, told, kept, change, seen };
}

describe('devices that are disabled by their credentials', () => {
  it('are known as such, also after a restart, and keep what else their credentials say', async () => {
    const s = await scene({ deviceSecret: 'secret', enabled: false });
    expect((await s.kept()).value).toEqual({ ...NAMES, deviceSecret: 'secret', enabled: false });
    expect([s.seen()?.enabled, s.seen()?.password]).toEqual([false, 'secret']);
    const later = await openTestRegistry(s);
    expect(later.credentials.byUsername('lamp-01&pk')?.credentials[0]?.enabled).toBe(false);
    succeeded(await s.change({ deviceSecret: 'secret' }));
    expect(s.seen()?.enabled).toBe(true);
    expect((await s.kept()).value).toEqual({ ...NAMES, deviceSecret: 'secret' });
  });

  it('are cut off, and that they are enabled or not is told before', async () => {
    const s = await scene({ deviceSecret: 'secret' });
    succeeded(await s.change({ deviceSecret: 'secret', enabled: true }));
    expect(s.told).toEqual([]);
    succeeded(await s.change({ deviceSecret: 'secret', enabled: false }));
    succeeded(await s.change({ deviceSecret: 'other', enabled: false }));
    succeeded(await s.change({ deviceSecret: 'other' }));
    expect(s.told).toEqual([
      [s.id, false, null],
      `disabled ${s.id}`,
      `disabled ${s.id}`,
      [s.id, true, null],
      `credentialsChanged ${s.id}`,
    ]);
  });

  it('ALI-87 name the gateway that they were last behind, if it is one of their tenant', async () => {
    const s = await scene();
    const gateway = succeeded(
      await s.devices.save(s.admin, deviceInput('gw', { additionalInfo: { gateway: true } }), { accessToken: null }),
    );
    for (const lastConnectedGateway of [gateway.id, s.id, 'nobody']) {
      const input = deviceInput('Lamp', { id: s.id, additionalInfo: { lastConnectedGateway } });
      succeeded(await s.devices.save(s.admin, input, { accessToken: null }));
      succeeded(await s.change({ enabled: false }));
      succeeded(await s.change({}));
    }
    const gateways = s.told.filter((one) => Array.isArray(one)).map(([, , gatewayId]) => gatewayId);
    expect(gateways).toEqual([gateway.id, gateway.id, null, null, null, null]);
  });

  it('of Waveshare are told the same way', async () => {
    const s = await scene();
    const { id } = succeeded(
      await s.devices.saveWithCredentials(s.admin, deviceInput('W'), waveshareInput({ clientId: 'x' })),
    );
    const record = succeeded(await s.devices.credentials(s.admin, id));
    const value = { ...JSON.parse(record.credentialsValue ?? ''), enabled: false };
    const input = credentialsInput('WAVESHARE', { id: record.id, credentialsValue: JSON.stringify(value) });
    succeeded(await s.devices.saveCredentials(s.admin, id, input));
    expect(s.told).toEqual([[id, false, null], `disabled ${id}`]);
  });

  it.each([
    { enabled: 'no' },
    { enabled: 0 },
    { registered: 'yes' },
    { deviceToken: 7 },
    { deviceToken: 'x'.repeat(257) },
  ])('refuses %j', async (members) => {
    const s = await scene();
    expect(await s.change(members)).toMatchObject({ code: 'invalidArguments' });
  });
});

describe('tokens of devices', () => {
  it('ALI-24 are drawn for who registers himself, kept when the credentials are saved again, and known after a restart', async () => {
    const s = await scene({ registered: true });
    const { value } = await s.kept();
    expect(value).toEqual({
      ...NAMES,
      deviceSecret: expect.stringMatching(/^[A-Za-z0-9]{32}$/),
      deviceToken: expect.stringMatching(/^[A-Za-z0-9]{32}$/),
      registered: true,
    });
    expect(s.seen()?.secret?.('deviceToken')).toBe(value.deviceToken);
    succeeded(await s.change(value));
    expect((await s.kept()).value).toEqual(value);
    const later = await openTestRegistry(s);
    expect(later.credentials.ofDevice?.(s.id)?.secret?.('deviceToken')).toBe(value.deviceToken);
    expect(JSON.stringify(await s.repositories.credentials(s.id))).not.toContain(value.deviceToken);
  });

  it('who has one waits for no secret', async () => {
    const s = await scene({ deviceSecret: null, deviceToken: 'burnt in' });
    expect((await s.kept()).value).toEqual({ ...NAMES, deviceSecret: expect.any(String), deviceToken: 'burnt in' });
  });

  it('those who wait for their secret still do', async () => {
    const s = await scene({ deviceSecret: null });
    expect((await s.kept()).value).toEqual({ ...NAMES, deviceSecret: null });
  });
});
