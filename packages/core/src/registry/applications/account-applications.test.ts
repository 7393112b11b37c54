import {
  applicationInput,
  deviceInput,
  openTestRegistry,
  succeeded,
  type TestRegistry,
  waveshareInput,
} from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../model/entities.ts';

const OTHER = '11111111-2222-4333-8444-555555555555';

const save = (t: TestRegistry, configuration: JsonObject, parts: Parameters<typeof applicationInput>[1] = {}) =>
  t.applications.save(t.admin, applicationInput('account', { dialect: 'waveshare', configuration, ...parts }));
const device = async (t: TestRegistry, accountId?: string) => {
  const input = waveshareInput(accountId === undefined ? {} : { accountId });
  const name = `device ${t.crypto.uuid()}`;
  return succeeded(await t.devices.saveWithCredentials(t.admin, deviceInput(name), input)).id;
};

describe('applications of waveshare', () => {
  it('have nothing secret and are known over a restart', async () => {
    const t = await openTestRegistry();
    const saved = succeeded(await save(t, { n1: '59', unknown: 1 }));
    expect(saved).toMatchObject({ dialect: 'waveshare', credentials: {} });
    expect(saved.configuration).toEqual({ n1: '59', shares: [] });
    const { repositories, crypto } = t;
    for (const { credentials } of [t, await openTestRegistry({ repositories, crypto })]) {
      const known = credentials.application?.(saved.id);
      expect(known).toMatchObject({ username: null, password: null, application: { configuration: { n1: '59' } } });
      expect(credentials.applications?.('waveshare', t.admin.tenantId)).toEqual([known]);
    }
  });

  it.each<[JsonObject, string]>([
    [{ n1: 59 }, 'n1 is not a text of 1 to 10 digits'],
    [{ n1: '' }, 'n1 is not a text of 1 to 10 digits'],
    [{ n1: '12345678901' }, 'n1 is not a text of 1 to 10 digits'],
    [{ default: 'yes' }, 'default is not true or false'],
    [{ shares: {} }, 'shares is not a list'],
    [{ shares: [7] }, 'shares[0] is not an object'],
    [{ shares: Array<Json>(1001).fill({}) }, 'shares lists more than 1000 entries'],
    [
      { shares: [{ deviceId: OTHER, account: OTHER, access: 'ALL' }] },
      'shares[0] has an access that is not READ or WRITE',
    ],
    [{ shares: [{ deviceId: OTHER, account: 'x', access: 'READ' }] }, 'shares[0] has no id of an account'],
    [
      { shares: [{ deviceId: OTHER, account: OTHER, access: 'READ' }] },
      'shares[0] names a device that is not of this account',
    ],
  ])('refuse %j', async (configuration, message) => {
    const t = await openTestRegistry();
    expect(await save(t, configuration)).toEqual({ ok: false, code: 'invalidArguments', message });
  });

  it('one of a tenant speaks for its default account, and none that devices belong to by id', async () => {
    const t = await openTestRegistry();
    const first = succeeded(await save(t, { default: true }));
    expect(await save(t, { default: true })).toMatchObject({
      message: 'Another waveshare application is the default account of the tenant',
    });
    const again = await save(t, {}, { id: first.id });
    expect(succeeded(again).configuration).toMatchObject({ default: true });
    succeeded(await save(t, { default: false }, { id: first.id }));
    const answers = await Promise.all([save(t, { default: true }), save(t, { default: true })]);
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    await device(t, first.id);
    const winner = answers.flatMap((answer) => (answer.ok ? [answer.value.id] : []))[0] ?? '';
    succeeded(await t.applications.remove(t.admin, winner));
    expect(await save(t, { default: true }, { id: first.id })).toMatchObject({
      message: 'An application that devices belong to by its id cannot become the default account',
    });
  });

  it('share devices of their own account only, and lose shares of devices that are gone', async () => {
    const t = await openTestRegistry();
    const { id } = succeeded(await save(t, {}));
    const mine = await device(t, id);
    const inDefault = await device(t);
    const token = succeeded(await t.devices.save(t.admin, deviceInput('token'), { accessToken: null })).id;
    const share = (deviceId: string, account = OTHER) => ({ shares: [{ deviceId, account, access: 'READ' }] });
    for (const deviceId of [inDefault, token]) {
      expect(await save(t, share(deviceId), { id })).toMatchObject({
        message: 'shares[0] names a device that is not of this account',
      });
    }
    for (const account of [id, id.toUpperCase()]) {
      expect(await save(t, share(mine, account), { id })).toMatchObject({
        message: 'shares[0] is for the account that gives it',
      });
    }
    const saved = succeeded(await save(t, share(mine.toUpperCase(), OTHER.toUpperCase()), { id }));
    expect(saved.configuration).toMatchObject(share(mine));
    expect(succeeded(await save(t, { n1: '5' }, { id })).configuration).toMatchObject({ n1: '5', ...share(mine) });
    succeeded(await t.devices.remove(t.admin, mine));
    expect((await save(t, share(mine), { id })).ok).toBe(false);
    expect(succeeded(await save(t, { n1: '6' }, { id })).configuration).toEqual({ n1: '6', shares: [] });
    const standIn = succeeded(await save(t, { default: true, ...share(inDefault) }));
    expect(standIn.configuration).toMatchObject(share(inDefault));
    expect(await save(t, share(inDefault, t.admin.tenantId), { id: standIn.id })).toMatchObject({
      message: 'shares[0] is for the account that gives it',
    });
  });

  it('cut their devices when they are disabled, and nothing when their settings change', async () => {
    const t = await openTestRegistry();
    const { id } = succeeded(await save(t, {}));
    const standIn = succeeded(await save(t, { default: true })).id;
    const [mine, inDefault] = [await device(t, id), await device(t)];
    succeeded(await save(t, { n1: '7', shares: [{ deviceId: mine, account: OTHER, access: 'WRITE' }] }, { id }));
    expect(t.revoked).toEqual([]);
    succeeded(await save(t, {}, { id, enabled: false }));
    expect(t.revoked.splice(0)).toEqual([`disabled ${id}`, `disabled ${mine}`]);
    succeeded(await save(t, {}, { id: standIn, enabled: false }));
    expect(t.revoked).toEqual([`disabled ${standIn}`, `disabled ${inDefault}`]);
  });
});
