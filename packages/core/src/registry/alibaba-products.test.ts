import { callerOf, credentialsInput, deviceInput, openTestRegistry, profileInput, succeeded } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../model/entities.ts';

const transport = (members: JsonObject = {}) => ({
  transportType: 'ALIBABA',
  profileData: { transportConfiguration: { type: 'ALIBABA', ...members } },
});

async function saved(members: JsonObject) {
  const t = await openTestRegistry();
  const answer = await t.profiles.save(t.admin, profileInput('P', transport(members)));
  const found = answer.ok ? (answer.value.profileData.transportConfiguration as JsonObject) : null;
  return { t, answer, found };
}

describe('profiles that are products of Alibaba', () => {
  it('ALI-30 a new product has the three topic classes, a key and a secret of its own', async () => {
    const { found } = await saved({});
    expect(found).toEqual({
      type: 'ALIBABA',
      productKey: expect.stringMatching(/^[A-Za-z0-9]{11}$/),
      productSecret: expect.stringMatching(/^[A-Za-z0-9]{16}$/),
      dynamicRegistration: false,
      topicClasses: [
        { topic: 'user/update', permission: 'PUB' },
        { topic: 'user/update/error', permission: 'PUB' },
        { topic: 'user/get', permission: 'SUB' },
      ],
      thingModel: null,
    });
  });

  it('an update that leaves key and secret out keeps them', async () => {
    const { t, answer, found } = await saved({ productKey: 'a1b2C3d4E5f' });
    const { id } = succeeded(answer);
    const again = succeeded(await t.profiles.save(t.admin, profileInput('P', { id, ...transport() })));
    expect(again.profileData.transportConfiguration).toEqual(found);
  });

  it('ALI-32 a topic class with wildcards has permission SUB', async () => {
    const withClass = async (topic: string, permission: string) =>
      (await saved({ topicClasses: [{ topic, permission }] })).answer.ok;
    expect(await withClass('user/+/a', 'SUB')).toBe(true);
    expect(await withClass('user/a/#', 'SUB')).toBe(true);
    for (const permission of ['PUB', 'ALL']) {
      expect(await withClass('user/+/a', permission)).toBe(false);
      expect(await withClass('user/a/#', permission)).toBe(false);
      expect(await withClass('user/a', permission)).toBe(true);
    }
    for (const topic of ['other', 'user', 'user/', 'user//a', 'user/#/a', 'user/a-b', '#']) {
      expect(await withClass(topic, 'SUB')).toBe(false);
    }
  });

  it.each<Record<string, unknown>>([
    { productKey: 'a-b' },
    { productSecret: 's'.repeat(65) },
    { dynamicRegistration: 'yes' },
    { registrationFree: 'yes' },
    { topicClasses: {} },
    { topicClasses: [null] },
    { topicClasses: 'x' },
    { topicClasses: [{ topic: 'user/a', permission: 'all' }] },
    { thingModel: [] },
  ])('refuses %j', async (members) => {
    expect((await saved(members as JsonObject)).answer).toMatchObject({ code: 'invalidArguments' });
  });

  it('refuses more than 50 topic classes', async () => {
    const classes = (length: number) => ({ topicClasses: Array(length).fill({ topic: 'user/a', permission: 'PUB' }) });
    expect((await saved(classes(50))).answer.ok).toBe(true);
    expect((await saved(classes(51))).answer).toMatchObject({ code: 'invalidArguments' });
  });

  it('a product belongs to one profile of the server, also when two are saved at once', async () => {
    const t = await openTestRegistry();
    const save = (name: string) => t.profiles.save(t.admin, profileInput(name, transport({ productKey: 'pk' })));
    const answers = await Promise.all([save('A'), save('B')]);
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    const [winner] = answers.filter((answer) => answer.ok);
    const { id } = succeeded(winner ?? answers[0]);
    expect(t.credentials.product?.('alibaba', 'pk')).toMatchObject({ profileId: id });
    expect(t.credentials.product?.('thingsboard', 'pk')).toBeUndefined();
    succeeded(await t.profiles.remove(t.admin, id));
    expect(t.credentials.product?.('alibaba', 'pk')).toBeUndefined();
    expect((await save('C')).ok).toBe(true);
  });

  it('ALI-24 lets devices in that were not announced only if it says so', async () => {
    for (const [given, expected] of [
      [{}, undefined],
      [{ dynamicRegistration: true }, undefined],
      [{ registrationFree: false }, undefined],
      [{ registrationFree: true }, true],
    ] as const) {
      const { t } = await saved({ productKey: 'pk', ...given });
      expect(t.credentials.product?.('alibaba', 'pk')?.settings.alibaba?.registrationFree).toBe(expected);
    }
  });

  it('who only looks at a profile does not learn its secret', async () => {
    const { t, answer } = await saved({ productKey: 'pk', productSecret: 'fedcba9876543210' });
    const customer = callerOf('CUSTOMER_USER', t.defaultTenant.id);
    const seen = await t.profiles.get(customer, succeeded(answer).id);
    expect(JSON.stringify(seen)).not.toContain('fedcba9876543210');
  });
});

describe('devices of Alibaba', () => {
  it('a device is found by its name at CONNECT with its secret and the settings of its product, also after a restart', async () => {
    const first = await openTestRegistry();
    const profile = succeeded(
      await first.profiles.save(first.admin, profileInput('P', transport({ productKey: 'pk' }))),
    );
    const value = { productKey: 'pk', deviceName: 'lamp-01', deviceSecret: 'the secret' };
    const credentials = credentialsInput('ALIBABA', { credentialsValue: JSON.stringify(value) });
    const device = deviceInput('Lamp', { deviceProfileId: profile.id });
    const saved = succeeded(await first.devices.saveWithCredentials(first.admin, device, credentials));
    expect(saved.dialect).toBe('alibaba');
    const { repositories, crypto } = first;
    for (const { credentials } of [first, await openTestRegistry({ repositories, crypto })]) {
      const holder = credentials.byUsername('lamp-01&pk');
      expect(holder).toMatchObject({ dialect: 'alibaba', credentials: [{ password: 'the secret' }] });
      expect(holder?.credentials[0]?.device?.settings.alibaba?.productKey).toBe('pk');
      expect(credentials.product?.('alibaba', 'pk')?.profileId).toBe(profile.id);
    }
    expect(JSON.stringify(await repositories.credentials(saved.id))).not.toContain('the secret');
  });
});
