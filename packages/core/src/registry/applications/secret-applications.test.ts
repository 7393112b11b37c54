import {
  applicationInput,
  callerOf,
  listQuery,
  openTestRegistry,
  sampleTenant,
  succeeded,
  type TestRegistry,
} from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../model/entities.ts';

const DAY_MS = 86_400_000;

const save = (t: TestRegistry, dialect: string, parts: Parameters<typeof applicationInput>[1] = {}) =>
  t.applications.save(t.admin, applicationInput('app', { dialect, ...parts }));
const restarted = ({ repositories, crypto }: TestRegistry) => openTestRegistry({ repositories, crypto });

describe('applications of sensoro', () => {
  it('generate AppID, AppKey and AppSecret in the forms of the vendor', async () => {
    const t = await openTestRegistry();
    for (let count = 0; count < 50; count += 1) {
      const { credentials, configuration } = succeeded(await save(t, 'sensoro'));
      expect(credentials).toEqual({
        appId: expect.stringMatching(/^[0-9A-Za-z]{12}$/),
        appKey: expect.stringMatching(/^[0-9A-Za-z]{42}[AEIMQUYcgkosw048]$/),
        appSecret: expect.stringMatching(/^[0-9A-Za-z]{32}$/),
      });
      expect(configuration).toEqual({
        pushMode: 'plain',
        mqttQos: 0,
        webhookUrl: null,
        devices: 'ALL',
        allowUplink: false,
        rotationDays: 0,
      });
    }
  });

  it('SEN-34 import an AppKey with non-zero trailing bits, and none of 42 characters', async () => {
    const t = await openTestRegistry();
    const appKey = `${'A'.repeat(42)}B`;
    const saved = succeeded(await save(t, 'sensoro', { credentials: { appKey } }));
    expect(t.credentials.application?.(saved.id)?.secret?.('appKey')).toBe(appKey);
    const refused = await save(t, 'sensoro', { credentials: { appKey: 'A'.repeat(42) } });
    expect(refused).toMatchObject({ code: 'invalidArguments', message: 'The appKey is not 43 characters of base64' });
  });

  it.each<JsonObject>([
    { appId: 'a b' },
    { appId: 'a'.repeat(65) },
    { appId: 'provision' },
    { appId: 7 },
    { appKey: 'A'.repeat(44) },
    { appKey: `${'A'.repeat(42)}=` },
    { appSecret: 'short' },
    { appSecret: 's'.repeat(129) },
    { appSecret: 'not plain ä' },
    { rotate: 'appSecret' },
    { rotate: ['appId'] },
    { rotate: ['appSecret'], appSecret: 'a new secret' },
  ])('refuse the credentials %j', async (credentials) => {
    const t = await openTestRegistry();
    expect(await save(t, 'sensoro', { credentials })).toMatchObject({ code: 'invalidArguments' });
  });

  it.each<JsonObject>([
    { pushMode: 'secret' },
    { mqttQos: 2 },
    { mqttQos: '1' },
    { webhookUrl: 'ftp://example.org' },
    { devices: 'SOME' },
    { devices: ['x'] },
    { devices: [7] },
    { devices: { tag: '' } },
    { devices: { tag: 7 } },
    { devices: {} },
    { allowUplink: 1 },
    { rotationDays: 8 },
    { rotationDays: -1 },
    { rotationDays: 1.5 },
  ])('refuse the configuration %j', async (configuration) => {
    const t = await openTestRegistry();
    expect(await save(t, 'sensoro', { configuration })).toMatchObject({ code: 'invalidArguments' });
  });

  it('take device sets as ids and as a tag, and keep what an update leaves out', async () => {
    const t = await openTestRegistry();
    const id = '11111111-2222-4333-8444-AAAAAAAAAAAA';
    const first = succeeded(await save(t, 'sensoro', { configuration: { devices: [id, id], pushMode: 'safe' } }));
    expect(first.configuration).toMatchObject({ devices: [id.toLowerCase()], pushMode: 'safe' });
    const second = succeeded(
      await save(t, 'sensoro', { id: first.id, configuration: { devices: { tag: 'roof', more: 1 } } }),
    );
    expect(second.configuration).toMatchObject({ devices: { tag: 'roof' }, pushMode: 'safe' });
    expect(second.credentials).toEqual(first.credentials);
  });

  it('cut connections for a changed secret, name or uplink right, and for nothing else', async () => {
    const t = await openTestRegistry();
    const { id } = succeeded(await save(t, 'sensoro', { credentials: { appId: 'app' } }));
    const change = async (parts: Parameters<typeof applicationInput>[1]) => {
      succeeded(await save(t, 'sensoro', { id, ...parts }));
      return t.revoked.splice(0).map((told) => told.split(' ')[0]);
    };
    const settings = { pushMode: 'safe', mqttQos: 1, webhookUrl: 'https://example.org/hook', devices: [] };
    expect(await change({ configuration: settings })).toEqual([]);
    expect(await change({ credentials: { rotate: ['appKey'] } })).toEqual([]);
    expect(await change({ configuration: { allowUplink: true } })).toEqual(['credentialsChanged']);
    expect(await change({ credentials: { rotate: ['appSecret'] } })).toEqual(['credentialsChanged']);
    expect(await change({ credentials: { appId: 'app2' } })).toEqual(['credentialsChanged']);
    expect(await change({ enabled: false })).toEqual(['disabled']);
    expect(await change({ enabled: false, credentials: { rotate: ['appSecret'] } })).toEqual([]);
  });

  it('keep the former secret for the days of a rotation, without cutting anybody', async () => {
    const t = await openTestRegistry();
    const configuration = { rotationDays: 7 };
    const first = succeeded(await save(t, 'sensoro', { credentials: { appSecret: 'the first one' }, configuration }));
    const { id } = first;
    const second = succeeded(await save(t, 'sensoro', { id, credentials: { appSecret: 'the second one' } }));
    expect(t.revoked).toEqual([]);
    const until = t.clock.time + 7 * DAY_MS;
    const members = { previousAppSecret: 'the first one', previousAppSecretValidUntil: until };
    expect(second.credentials).toMatchObject({ appSecret: 'the second one', ...members });
    for (const registry of [t, await restarted(t)]) {
      const known = registry.credentials.application?.(id);
      expect(known?.password).toBe('the second one');
      expect(known?.secret?.('previousAppSecret')).toBe('the first one');
      expect(known?.secret?.('previousAppSecretValidUntil')).toBe(String(until));
    }
    t.clock.advance(DAY_MS);
    expect(succeeded(await save(t, 'sensoro', { id })).credentials).toMatchObject(members);
    t.clock.advance(6 * DAY_MS);
    expect(succeeded(await t.applications.get(t.admin, id)).credentials).not.toHaveProperty('previousAppSecret');
    succeeded(await save(t, 'sensoro', { id }));
    expect(t.credentials.application?.(id)?.secret?.('previousAppSecret')).toBeNull();
    expect(t.revoked).toEqual([]);
  });

  it('void the former secret when the rotation is called off', async () => {
    const t = await openTestRegistry();
    const { id } = succeeded(await save(t, 'sensoro', { configuration: { rotationDays: 7 } }));
    succeeded(await save(t, 'sensoro', { id, credentials: { rotate: ['appSecret'] } }));
    const after = succeeded(await save(t, 'sensoro', { id, configuration: { rotationDays: 0 } }));
    expect(after.credentials).not.toHaveProperty('previousAppSecret');
    expect(t.revoked).toEqual([`credentialsChanged ${id}`]);
  });
});

describe('applications of thingscale', () => {
  it('generate ID and tokens in the forms of the vendor', async () => {
    const t = await openTestRegistry();
    const { credentials, configuration } = succeeded(await save(t, 'thingscale'));
    expect(credentials).toEqual({
      userId: expect.stringMatching(/^U[0-9]{6}$/),
      deviceToken: expect.stringMatching(/^[0-9A-F]{32}$/),
      apiToken: expect.stringMatching(/^[0-9A-F]{32}$/),
    });
    expect(configuration).toEqual({ timezone: 'UTC', autoMap: true, maxDevices: 10_000, email: '', rotationDays: 0 });
  });

  it('are found by a token without regard to case, each by its own member, also over a restart', async () => {
    const t = await openTestRegistry();
    const credentials = { userId: 'Uabc123', deviceToken: 'tok', apiToken: 'aPi99' };
    const { id } = succeeded(await save(t, 'thingscale', { credentials }));
    for (const { credentials: lookup } of [t, await restarted(t)]) {
      const by = (member: string, value: string) =>
        lookup.applicationBySecret?.('thingscale', member, value)?.application?.id;
      for (const token of ['tok', 'TOK', 'tOk']) expect(by('deviceToken', token)).toBe(id);
      expect(by('apiToken', 'API99')).toBe(id);
      expect(by('apiToken', 'tok')).toBeUndefined();
      expect(by('userId', 'Uabc123')).toBeUndefined();
      expect(lookup.applicationBySecret?.('sensoro', 'deviceToken', 'tok')).toBeUndefined();
      expect(lookup.byUsername('Uabc123')).toMatchObject({ dialect: 'thingscale', credentials: [{ password: 'tok' }] });
      expect(lookup.byUsername('UABC123')).toBeUndefined();
    }
  });

  it('are not found by text that only upper case makes a token of', async () => {
    const t = await openTestRegistry();
    succeeded(await save(t, 'thingscale', { credentials: { deviceToken: 'SSI' } }));
    for (const value of ['ßi', 'ſſi', 'ssı', '', 'SSI ', `SSI${'x'.repeat(100_000)}`]) {
      expect(t.credentials.applicationBySecret?.('thingscale', 'deviceToken', value), value).toBeUndefined();
    }
  });

  it('have tokens that no other account has, whatever the case, the tenant and the member', async () => {
    const t = await openTestRegistry();
    const tenant = sampleTenant();
    await t.repositories.commit([{ kind: 'putTenant', record: tenant }]);
    const stranger = callerOf('TENANT_ADMIN', tenant.id);
    const mine = { dialect: 'thingscale', credentials: { deviceToken: 'token1', apiToken: 'token2' } };
    succeeded(await t.applications.save(stranger, applicationInput('secret name', mine)));
    for (const credentials of [{ deviceToken: 'TOKEN1' }, { apiToken: 'Token1' }, { deviceToken: 'token2' }]) {
      const [member] = Object.keys(credentials);
      expect(await save(t, 'thingscale', { credentials })).toEqual({
        ok: false,
        code: 'invalidArguments',
        message: `This ${member} is already in use in the dialect thingscale`,
      });
    }
    expect(await save(t, 'thingscale', { credentials: { deviceToken: 'same', apiToken: 'SAME' } })).toMatchObject({
      message: 'The deviceToken and the apiToken are the same',
    });
  });

  it('two that are saved at once with one token are one', async () => {
    const t = await openTestRegistry();
    const tenant = sampleTenant();
    await t.repositories.commit([{ kind: 'putTenant', record: tenant }]);
    const callers = [t.admin, callerOf('TENANT_ADMIN', tenant.id)];
    const input = applicationInput('a', { dialect: 'thingscale', credentials: { deviceToken: 'token1' } });
    const answers = await Promise.all(callers.map((caller) => t.applications.save(caller, input)));
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
  });

  it('a drawn token that somebody has is drawn again', async () => {
    const t = await openTestRegistry();
    const taken = '000102030405060708090A0B0C0D0E0F';
    succeeded(await save(t, 'thingscale', { credentials: { apiToken: taken } }));
    const draws = [Uint8Array.from({ length: 16 }, (_, index) => index), Uint8Array.from({ length: 16 }, () => 0xee)];
    const { randomBytes, uuid } = t.crypto;
    t.crypto.uuid = () => uuid.call({ randomBytes: randomBytes.bind(t.crypto) });
    t.crypto.randomBytes = (length) =>
      (length === 16 ? draws.shift() : undefined) ?? randomBytes.call(t.crypto, length);
    const saved = succeeded(await save(t, 'thingscale', { credentials: { apiToken: 'other' } }));
    expect(saved.credentials.deviceToken).toBe('EE'.repeat(16));
    expect(draws).toEqual([]);
  });

  it('both tokens hold during a rotation and only the new one afterwards; then the old one is free', async () => {
    const t = await openTestRegistry();
    const configuration = { rotationDays: 30 };
    const tokens = { deviceToken: 'old1', apiToken: 'old2' };
    const { id } = succeeded(await save(t, 'thingscale', { credentials: tokens, configuration }));
    const renewed = { deviceToken: 'new1', apiToken: 'new2' };
    succeeded(await save(t, 'thingscale', { id, credentials: renewed }));
    expect(t.revoked).toEqual([]);
    const next = await restarted(t);
    next.clock.advance(30 * DAY_MS - 1);
    t.clock.advance(30 * DAY_MS - 1);
    const by = (registry: TestRegistry, member: string, value: string) =>
      registry.credentials.applicationBySecret?.('thingscale', member, value)?.application?.id;
    for (const registry of [t, next]) {
      for (const value of ['OLD1', 'new1']) expect(by(registry, 'deviceToken', value)).toBe(id);
      for (const value of ['old2', 'NEW2']) expect(by(registry, 'apiToken', value)).toBe(id);
    }
    expect((await save(t, 'thingscale', { credentials: { deviceToken: 'old1' } })).ok).toBe(false);
    t.clock.advance(1);
    next.clock.advance(1);
    for (const registry of [t, next]) {
      expect(by(registry, 'deviceToken', 'old1')).toBeUndefined();
      expect(by(registry, 'deviceToken', 'new1')).toBe(id);
    }
    const other = succeeded(await save(t, 'thingscale', { credentials: { deviceToken: 'old1' } }));
    expect(by(t, 'deviceToken', 'old1')).toBe(other.id);
    succeeded(await save(t, 'thingscale', { id }));
    expect(by(t, 'deviceToken', 'old1')).toBe(other.id);
    expect(by(await restarted(t), 'deviceToken', 'old1')).toBe(other.id);
    succeeded(await t.applications.remove(t.admin, other.id));
    expect(by(t, 'deviceToken', 'old1')).toBeUndefined();
  });

  it('cut connections for a device token that is void at once, and not for settings or the API token', async () => {
    const t = await openTestRegistry();
    const { id } = succeeded(await save(t, 'thingscale'));
    const change = async (parts: Parameters<typeof applicationInput>[1]) => {
      succeeded(await save(t, 'thingscale', { id, ...parts }));
      return t.revoked.splice(0).map((told) => told.split(' ')[0]);
    };
    const settings = { timezone: 'Asia/Tokyo', autoMap: false, maxDevices: 5, email: 'a@example.org' };
    expect(await change({ configuration: settings })).toEqual([]);
    expect(await change({ credentials: { rotate: ['apiToken'] } })).toEqual([]);
    expect(await change({ credentials: { rotate: ['deviceToken'] } })).toEqual(['credentialsChanged']);
    expect(await change({ credentials: { userId: 'U000001' } })).toEqual(['credentialsChanged']);
    expect(await change({ enabled: false })).toEqual(['disabled']);
  });

  it.each<JsonObject>([
    { userId: 'U12345' },
    { userId: 'u123456' },
    { userId: 'U1234567' },
    { deviceToken: 'ab' },
    { deviceToken: 'a'.repeat(65) },
    { deviceToken: 'a-b-c-d-e' },
    { apiToken: 7 },
  ])('refuse the credentials %j', async (credentials) => {
    const t = await openTestRegistry();
    expect(await save(t, 'thingscale', { credentials })).toMatchObject({ code: 'invalidArguments' });
  });

  it.each<JsonObject>([
    { timezone: 'Mars/Olympus' },
    { timezone: '+09:00' },
    { timezone: '' },
    { timezone: 9 },
    { autoMap: 'yes' },
    { maxDevices: -1 },
    { maxDevices: 1.5 },
    { maxDevices: 1_000_001 },
    { email: 'nobody' },
    { email: 'a@b\u0000' },
    { rotationDays: 31 },
  ])('refuse the configuration %j', async (configuration) => {
    const t = await openTestRegistry();
    expect(await save(t, 'thingscale', { configuration })).toMatchObject({ code: 'invalidArguments' });
  });
});

describe('applications of every dialect', () => {
  it('show in lists the name at CONNECT and no secret, and are sealed in the store', async () => {
    const t = await openTestRegistry();
    const secrets: string[] = [];
    for (const dialect of ['plain', 'sensoro', 'thingscale', 'waveshare']) {
      const { id, credentials } = succeeded(await save(t, dialect));
      const { username, appId, userId, ...rest } = credentials;
      secrets.push(...Object.values(rest).filter((value) => typeof value === 'string'));
      expect(JSON.stringify(await t.repositories.application(id))).not.toContain(String(rest.apiToken ?? rest.appKey));
    }
    expect(secrets).toHaveLength(5);
    const { data } = succeeded(await t.applications.list(t.admin, listQuery({ sortProperty: 'dialect' })));
    expect(data.map(({ dialect, credentials }) => [dialect, Object.keys(credentials)])).toEqual([
      ['plain', ['username']],
      ['sensoro', ['appId']],
      ['thingscale', ['userId']],
      ['waveshare', []],
    ]);
    for (const secret of secrets) expect(JSON.stringify(data)).not.toContain(secret);
  });

  it('keep their dialect, and unknown dialects are told the known ones', async () => {
    const t = await openTestRegistry();
    const { id } = succeeded(await save(t, 'sensoro'));
    expect(await save(t, 'thingscale', { id })).toEqual({
      ok: false,
      code: 'invalidArguments',
      message: 'An application keeps its dialect: this one is of sensoro',
    });
    expect(await save(t, 'alibaba')).toEqual({
      ok: false,
      code: 'invalidArguments',
      message: 'There are no applications of the dialect alibaba, only of: plain, sensoro, thingscale, waveshare',
    });
  });

  it('listeners hear of every save and of the end, after it is in memory', async () => {
    const t = await openTestRegistry();
    const heard: string[] = [];
    t.addListener({
      revoked: () => {},
      deviceChanged: () => {},
      sharedAttributesChanged: () => {},
      applicationChanged: (id) => heard.push(`changed ${t.credentials.application?.(id)?.application?.name}`),
      applicationRemoved: (id) => heard.push(`removed ${t.credentials.application?.(id)?.application?.name}`),
    });
    const { id } = succeeded(await save(t, 'sensoro', { name: 'one' }));
    succeeded(await save(t, 'sensoro', { id, name: 'two' }));
    expect((await save(t, 'sensoro', { id, configuration: { mqttQos: 5 } })).ok).toBe(false);
    succeeded(await t.applications.remove(t.admin, id));
    expect(heard).toEqual(['changed one', 'changed two', 'removed undefined']);
  });

  it('are listed by dialect and tenant from memory', async () => {
    const t = await openTestRegistry();
    const tenant = sampleTenant();
    await t.repositories.commit([{ kind: 'putTenant', record: tenant }]);
    const mine = succeeded(await save(t, 'sensoro', { enabled: false }));
    const input = applicationInput('theirs', { dialect: 'sensoro' });
    const theirs = succeeded(await t.applications.save(callerOf('TENANT_ADMIN', tenant.id), input));
    succeeded(await save(t, 'plain'));
    const ids = (tenantId?: string) =>
      t.credentials.applications?.('sensoro', tenantId).map(({ application }) => application?.id);
    expect(ids()?.sort()).toEqual([mine.id, theirs.id].sort());
    expect(ids(tenant.id)).toEqual([theirs.id]);
    const before = t.credentials.applications?.('sensoro', t.admin.tenantId);
    expect(t.credentials.applications?.('sensoro', t.admin.tenantId)).toBe(before);
    succeeded(await t.applications.remove(t.admin, mine.id));
    expect(ids(t.admin.tenantId)).toEqual([]);
    expect(before).toHaveLength(1);
    expect(t.credentials.application?.(t.admin.tenantId)).toBeUndefined();
  });
});
