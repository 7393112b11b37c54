import { createHmac } from 'node:crypto';
import { ValueKind, type WriteOutcome } from '@moorage/core';
import {
  connectPacket,
  connectVia,
  credentialsInput,
  deviceInput,
  deviceLink,
  listQuery,
  openTestRegistry,
  profileInput,
  sentTexts,
  succeeded,
} from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { AlibabaDialect } from './dialect.ts';
import { linkSecretsOf } from './secrets.ts';
import type { Hmac } from './signature.ts';
import { MemoryLinkStore } from './testing/memory-link-store.ts';

const hmac: Hmac = (algorithm, key, text) => createHmac(algorithm, key).update(text).digest('hex');
const PRODUCT_KEY = 'a1b2C3d4E5f';
const PRODUCT_SECRET = 'fedcba9876543210';
const NAME = 'lamp-01';
const TLS = connectVia({ transport: 'tls' });
const stored = async (): Promise<WriteOutcome> => 'stored';
const NO_ATTRIBUTES = { read: async () => new Map(), save: stored, remove: stored };

type Opened = Awaited<ReturnType<typeof openTestRegistry>>;

interface SceneOptions {
  readonly transport?: object;
  readonly registerWithoutTls?: boolean;
  readonly deviceLimit?: number;
}

/** The dialect on a registry of its own, or on one that was opened again. */
async function scene({ transport = { registrationFree: true }, registerWithoutTls, deviceLimit }: SceneOptions = {}) {
  const first = await openTestRegistry();
  const profileData = {
    transportConfiguration: {
      type: 'ALIBABA',
      productKey: PRODUCT_KEY,
      productSecret: PRODUCT_SECRET,
      ...transport,
    },
  };
  const profile = succeeded(await first.profiles.save(first.admin, profileInput('lamps', { profileData })));
  const store = new MemoryLinkStore();
  const on = async (t: Opened) => {
    const { admission } = await t.openOnboarding({ attributes: NO_ATTRIBUTES, deviceLimit: deviceLimit ?? null });
    const secrets = linkSecretsOf(t.devices, store, () => admission);
    const dialect = new AlibabaDialect({
      hmac,
      now: () => 5,
      store: () => store,
      secrets: () => secrets,
      ...(registerWithoutTls === undefined ? {} : { registerWithoutTls }),
    });
    const authenticate = (packet: ReturnType<typeof connectPacket>, via = TLS) =>
      dialect.authenticate(packet, via, t.credentials);
    const outcome = async (packet: ReturnType<typeof connectPacket>, via = TLS) => {
      const answer = await authenticate(packet, via);
      if (answer.outcome !== 'refused') return answer.outcome;
      return `${answer.returnCode}/0x${answer.reasonCode.toString(16)} ${answer.reason}`;
    };
    /** The message that a device gets which registers. */
    const registered = async (packet = registering()) => {
      const answer = await authenticate(packet);
      if (answer.outcome !== 'accepted') throw new TypeError(answer.reason);
      expect(answer.principal).toMatchObject({ device: null, identity: null, account: null });
      const [message = []] = sentTexts(dialect.openSession(answer.principal, deviceLink(4)).openingMessages ?? []);
      const [topic, text = ''] = message;
      return { topic, text: String(text), body: JSON.parse(String(text)) };
    };
    const names = async () => succeeded(await t.devices.list(t.admin, listQuery())).data.map(({ name }) => name);
    return { ...t, profile, store, dialect, authenticate, outcome, registered, names };
  };
  return { ...(await on(first)), again: async () => on(await openTestRegistry(first)) };
}

function registering(changes: { name?: string; secret?: string; mode?: string } = {}) {
  const { name = NAME, secret = PRODUCT_SECRET, mode = '2' } = changes;
  return connectPacket({
    clientId: `x|authType=regnwl,random=abc,signmethod=hmacsha256,securemode=${mode}|`,
    username: `${name}&${PRODUCT_KEY}`,
    password: new TextEncoder().encode(hmac('sha256', secret, `deviceName${name}productKey${PRODUCT_KEY}randomabc`)),
    keepAlive: 0,
  });
}

function withToken(token: string | null, changes: { name?: string; parameters?: string; keepAlive?: number } = {}) {
  const { name = NAME, parameters = 'authType=connwl,securemode=-2,_ss=1,ext=3', keepAlive = 60 } = changes;
  return connectPacket({
    clientId: `whatever|${parameters}|`,
    username: `${name}&${PRODUCT_KEY}`,
    password: token === null ? null : new TextEncoder().encode(token),
    keepAlive,
  });
}

describe('devices that register without having been announced', () => {
  it.each(['2', '-2'])('ALI-24 are made, and told a token on /ext/regnwl, securemode %s', async (mode) => {
    const s = await scene();
    const { topic, body } = await s.registered(registering({ mode }));
    expect(topic).toBe('/ext/regnwl');
    expect(body).toEqual({
      productKey: PRODUCT_KEY,
      deviceName: NAME,
      clientId: expect.stringMatching(/^[0-9a-f]{32}$/),
      deviceToken: expect.stringMatching(/^[A-Za-z0-9]{32}$/),
    });
    const device = s.deviceRefByName(s.defaultTenant.id, NAME);
    expect(device).toMatchObject({ profileId: s.profile.id, gateway: false });
    expect(body.clientId).toBe(device?.id.replaceAll('-', ''));
    const { deviceSecret } = JSON.parse(
      succeeded(await s.devices.credentials(s.admin, device?.id ?? '')).credentialsValue ?? '',
    );
    expect(deviceSecret).not.toBe(body.deviceToken);
  });

  it('ALI-24 log in with the token as their password, and with no other', async () => {
    const s = await scene();
    const { deviceToken } = (await s.registered()).body;
    const answer = await s.authenticate(withToken(deviceToken));
    expect(answer).toMatchObject({ outcome: 'accepted', principal: { device: { name: NAME } } });
    for (const token of [
      `${deviceToken}x`,
      deviceToken.slice(1),
      deviceToken.replace(/[a-z]/, (letter: string) => letter.toUpperCase()),
      '',
      null,
    ]) {
      expect(await s.outcome(withToken(token)), String(token)).toBe('4/0x86 The deviceToken is wrong.');
    }
    for (const parameters of ['authType=connwl', 'authType=connwl,securemode=2', 'authType=connwl,securemode=3']) {
      expect(await s.outcome(withToken(deviceToken, { parameters }))).toBe('accepted');
    }
    expect(await s.outcome(withToken(deviceToken, { parameters: 'authType=connwl,securemode=8' }))).toMatch('2/0x85');
    expect(await s.outcome(withToken(deviceToken, { parameters: 'securemode=-2' }))).toMatch('2/0x85');
    expect(await s.outcome(withToken(deviceToken, { keepAlive: 29 }))).toMatch('2/0x83');
    expect(await s.outcome(withToken(deviceToken, { name: 'lamp-02' }))).toMatch('5/0x87');
  });

  it('the token outlives the server', async () => {
    const s = await scene();
    const { deviceToken } = (await s.registered()).body;
    const later = await s.again();
    expect(await later.outcome(withToken(deviceToken))).toBe('accepted');
    expect((await later.registered()).body.deviceToken).toBe(deviceToken);
    const { id = '' } = s.deviceRefByName(s.defaultTenant.id, NAME) ?? {};
    expect(JSON.stringify(await s.repositories.credentials(id))).not.toContain(deviceToken);
  });

  it('are told the same again, also at once, until they have connected', async () => {
    const s = await scene();
    const all = await Promise.all(Array.from({ length: 5 }, () => s.registered()));
    expect(new Set(all.map(({ text }) => text)).size).toBe(1);
    expect(await s.names()).toEqual([NAME]);
    await s.store.save({}, 'SERVER', new Map([['lastConnectTime', { kind: ValueKind.Long, value: 1 }]]));
    expect(await s.outcome(registering())).toBe('4/0x86 Registration: device already active.');
  });

  it('are made for products alone that say so, by who knows the secret, and over TLS', async () => {
    const off = await scene({ transport: { dynamicRegistration: true } });
    expect(await off.outcome(registering())).toBe('4/0x86 Registration: dynamic registration is off.');
    const s = await scene();
    expect(await s.outcome(registering({ secret: 'another' }))).toBe('4/0x86 Registration: sign check failed.');
    expect(await s.outcome(registering(), connectVia())).toBe('3/0x88 Dynamic registration needs TLS.');
    expect(await s.outcome(registering({ name: 'abc' }))).toMatch('3/0x88 Registration: The deviceName is not 4 to 32');
    expect([await off.names(), await s.names()]).toEqual([[], []]);
    const lenient = await scene({ registerWithoutTls: true });
    expect(await lenient.outcome(registering(), connectVia())).toBe('accepted');
  });

  it('are no more than the tenant may have', async () => {
    const s = await scene({ deviceLimit: 2 });
    const outcomes = await Promise.all(
      ['lamp-01', 'lamp-02', 'lamp-03'].map((name) => s.outcome(registering({ name }))),
    );
    expect(outcomes.filter((one) => one === 'accepted')).toHaveLength(2);
    expect(outcomes).toContain('3/0x88 Registration: the tenant has its limit of 2 devices.');
    expect(await s.names()).toHaveLength(2);
  });

  it('have a longer name where a device of another kind has theirs', async () => {
    const s = await scene();
    succeeded(await s.devices.save(s.admin, deviceInput(NAME), { accessToken: null }));
    await s.registered();
    expect(await s.names()).toEqual(expect.arrayContaining([NAME, `${NAME}&${PRODUCT_KEY}`]));
  });

  it('do not include who was entered by hand: nothing is told of him', async () => {
    const s = await scene();
    const value = { productKey: PRODUCT_KEY, deviceName: NAME, deviceToken: 'burnt in at the vendor' };
    const credentials = credentialsInput('ALIBABA', { credentialsValue: JSON.stringify(value) });
    succeeded(await s.devices.saveWithCredentials(s.admin, deviceInput('Lamp'), credentials));
    expect(await s.outcome(registering())).toBe('4/0x86 Registration: device already active.');
    expect(await s.outcome(withToken('burnt in at the vendor'))).toBe('accepted');
  });

  it('a device without a token cannot log in with one', async () => {
    const s = await scene();
    const value = { productKey: PRODUCT_KEY, deviceName: NAME };
    const credentials = credentialsInput('ALIBABA', { credentialsValue: JSON.stringify(value) });
    succeeded(await s.devices.saveWithCredentials(s.admin, deviceInput('Lamp'), credentials));
    for (const token of [null, '', 'null']) {
      expect(await s.outcome(withToken(token))).toBe(`4/0x86 ${NAME} has no deviceToken.`);
    }
  });

  it('ALI-12 that are disabled are refused with 5, and not registered', async () => {
    const s = await scene();
    const { deviceToken } = (await s.registered()).body;
    const device = s.deviceRefByName(s.defaultTenant.id, NAME);
    const found = succeeded(await s.devices.credentials(s.admin, device?.id ?? ''));
    const value = { ...JSON.parse(found.credentialsValue ?? ''), enabled: false };
    const changed = credentialsInput('ALIBABA', { id: found.id, credentialsValue: JSON.stringify(value) });
    succeeded(await s.devices.saveCredentials(s.admin, device?.id ?? '', changed));
    expect(s.revoked).toEqual([`disabled ${device?.id}`]);
    expect(await s.outcome(withToken(deviceToken))).toBe(`5/0x87 ${NAME} is disabled.`);
    expect(await s.outcome(withToken('wrong'))).toMatch('4/0x86');
    expect(await s.outcome(registering())).toBe('4/0x86 Registration: device disabled.');
  });
});
