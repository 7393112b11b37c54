import { createHmac } from 'node:crypto';
import type { CredentialLookup, CredentialsInput, DeviceCredentials, ProfileSettings, Result } from '@moorage/core';
import { refuse, ValueKind } from '@moorage/core';
import type { ConnectVia, DeviceDesk } from '@moorage/dialect-api';
import {
  connectPacket,
  connectVia,
  credentialLookup,
  deviceLink,
  dialectMessage,
  fateOf,
  sentTexts,
} from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { AlibabaDialect } from './dialect.ts';
import { type LinkSecrets, linkSecretsOf } from './secrets.ts';
import type { Hmac } from './signature.ts';
import { DEVICE_NAME, holderOf, LAMP, PRODUCT_KEY, USERNAME } from './testing/lamp.ts';
import { MemoryLinkStore } from './testing/memory-link-store.ts';

const hmac: Hmac = (algorithm, key, text) => createHmac(algorithm, key).update(text).digest('hex');
const PRODUCT_SECRET = 'fedcba9876543210';
const RANDOM = '8Ygb7ULYh53B6OA';
/** Example D of section 1.3. */
const SIGN = '285aef862bbc105a6a07f8732615e4fc1118fb34149588bfb79afefb8e880311';
const SIGNS = {
  hmacmd5: '7ad0b82f3366775d430b10abdd32f764',
  hmacsha1: '372f19ef28fde6a7c44455757880638f88df5803',
  hmacsha256: SIGN,
};
const SECRET = 'S'.repeat(32);

/** Credentials of the lamp, as the registry of devices keeps them. */
class FakeCredentials {
  secret: string | null = null;
  saves = 0;
  working = true;

  async credentials(): Promise<Result<DeviceCredentials>> {
    return { ok: true, value: this.#record() };
  }

  async saveCredentials(_caller: unknown, _id: string, input: CredentialsInput): Promise<Result<DeviceCredentials>> {
    if (!this.working) return refuse('storageFull');
    expect(input).toMatchObject({ credentialsType: 'ALIBABA', credentialsId: USERNAME, credentialsValue: null });
    this.saves++;
    this.secret = `${SECRET.slice(0, -1)}${this.saves}`;
    return { ok: true, value: this.#record() };
  }

  #record(): DeviceCredentials {
    const value = { productKey: PRODUCT_KEY, deviceName: DEVICE_NAME, deviceSecret: this.secret };
    return {
      id: 'c',
      createdTime: 0,
      deviceId: LAMP.id,
      credentialsType: 'ALIBABA',
      credentialsId: USERNAME,
      credentialsValue: JSON.stringify(value),
      version: 1,
    };
  }
}

function setUp(product: Partial<NonNullable<ProfileSettings['alibaba']>> = {}) {
  const store = new MemoryLinkStore();
  const records = new FakeCredentials();
  const secrets: LinkSecrets = linkSecretsOf(records, store);
  const alibaba = {
    productKey: PRODUCT_KEY,
    productSecret: PRODUCT_SECRET,
    dynamicRegistration: true,
    topicClasses: [],
    thingModel: null,
    ...product,
  };
  const settings = { ...LAMP.settings, alibaba };
  const registry: CredentialLookup = {
    ...credentialLookup({ [USERNAME]: holderOf(null, { ...LAMP, settings }) }),
    product: (_dialect, name) => (name === PRODUCT_KEY ? { profileId: LAMP.profileId, settings } : undefined),
  };
  const options = { hmac, now: () => 5, store: () => store, secrets: () => secrets };
  const dialect = new AlibabaDialect(options);
  const guesses: string[] = [];
  const desk = {
    credentials: registry,
    text: (bytes: Uint8Array) => new TextDecoder().decode(bytes),
    refused: async (_address: string, name: string) => void guesses.push(name),
  } as unknown as DeviceDesk;
  const post = async (fields: Record<string, string | undefined> | string) => {
    const [route] = dialect.httpRoutes;
    const given = {
      productKey: PRODUCT_KEY,
      deviceName: DEVICE_NAME,
      random: RANDOM,
      sign: SIGN,
      signMethod: 'hmacsha256',
    };
    const body =
      typeof fields === 'string'
        ? fields
        : Object.entries({ ...given, ...fields })
            .filter(([, value]) => value !== undefined)
            .map(([name, value]) => `${name}=${encodeURIComponent(value ?? '')}`)
            .join('&');
    const answer = await route?.handle(
      { parameters: {}, query: [], body: new TextEncoder().encode(body), remoteAddress: '10.0.0.9', onGone() {} },
      desk,
    );
    if (typeof answer?.body !== 'string') throw new TypeError('no answer');
    expect(answer).toMatchObject({ status: 200, contentType: 'application/json' });
    return answer.body;
  };
  return { store, records, registry, options, dialect, guesses, post };
}

const code = (body: string): number => JSON.parse(body).code;

describe('registration over HTTP', () => {
  it('ALI-20 vector D returns compact JSON under 256 bytes with code 200 and the secret', async () => {
    const { post, records, dialect } = setUp();
    expect(dialect.httpRoutes.map(({ method, path }) => `${method} ${path}`)).toContain('POST /auth/register/device');
    const body = await post({});
    expect(body).toBe(
      `{"code":200,"data":{"productKey":"${PRODUCT_KEY}","deviceName":"${DEVICE_NAME}","deviceSecret":"${records.secret}"},"message":"success"}`,
    );
    expect(body.length).toBeLessThan(256);
  });

  it.each(Object.entries(SIGNS))('signs with %s, in upper and lower case', async (signMethod, sign) => {
    const { post } = setUp();
    expect(code(await post({ signMethod, sign }))).toBe(200);
    expect(code(await post({ signMethod, sign: sign.toUpperCase() }))).toBe(200);
  });

  it('ALI-21 each error has its code', async () => {
    const { post, guesses, store } = setUp();
    expect(code(await post({ sign: SIGN.replace('2', '3') }))).toBe(6600);
    expect(code(await setUp({ dynamicRegistration: false }).post({}))).toBe(6288);
    expect(code(await post({ signMethod: 'hmacsha512' }))).toBe(6292);
    expect(code(await post({ productKey: 'unknown' }))).toBe(6250);
    const unknown = hmac('sha256', PRODUCT_SECRET, `deviceNameunknownproductKey${PRODUCT_KEY}random${RANDOM}`);
    expect(code(await post({ deviceName: 'unknown', sign: unknown }))).toBe(6100);
    for (const missing of ['productKey', 'deviceName', 'random', 'sign']) {
      expect(code(await post({ [missing]: undefined })), missing).toBe(460);
    }
    expect(code(await post('%'))).toBe(460);
    expect(guesses).toEqual([USERNAME, `${DEVICE_NAME}&unknown`, `unknown&${PRODUCT_KEY}`]);
    expect(code(await post({}))).toBe(200);
    await store.save(LAMP, 'SERVER', new Map([['lastConnectTime', { kind: ValueKind.Long, value: 1 }]]));
    expect(code(await post({}))).toBe(6289);
  });

  it('a secret that nobody gave out over the network is never told', async () => {
    const { post, records } = setUp();
    records.secret = SECRET;
    expect(await post({})).not.toContain(SECRET);
    expect(code(await post({}))).toBe(6289);
  });

  it('ALI-22 the same random may be used again, and tells the same secret until the device has connected', async () => {
    const { post, records } = setUp();
    const bodies = await Promise.all([post({}), post({}), post({})]);
    expect(new Set(bodies).size).toBe(1);
    expect(code(bodies[0] ?? '')).toBe(200);
    expect(records.saves).toBe(1);
  });

  it('a store that is full is told as 500, and the next try works', async () => {
    const { post, records } = setUp();
    records.working = false;
    expect(code(await post({}))).toBe(500);
    records.working = true;
    expect(code(await post({}))).toBe(200);
  });

  it('there is no such route without somebody to give out secrets', () => {
    const { options } = setUp();
    const { secrets: _left, ...without } = options;
    expect(new AlibabaDialect(without).httpRoutes.map(({ path }) => path)).not.toContain('/auth/register/device');
  });
});

describe('registration over MQTT', () => {
  const connect = (base: string, changes: { sign?: string; parameters?: string; username?: string } = {}) =>
    connectPacket({
      clientId: `${base}|${changes.parameters ?? `authType=register,random=${RANDOM},signmethod=hmacsha256`},securemode=2|`,
      username: changes.username ?? USERNAME,
      password: new TextEncoder().encode(changes.sign ?? SIGN),
      keepAlive: 0,
    });
  const TLS = connectVia({ transport: 'tls' });
  const outcome = async (
    dialect: AlibabaDialect,
    registry: CredentialLookup,
    packet = connect('x'),
    via: ConnectVia = TLS,
  ) => {
    const answer = await dialect.authenticate(packet, via, registry);
    return answer.outcome === 'refused' ? `${answer.returnCode}/0x${answer.reasonCode.toString(16)}` : answer.outcome;
  };

  it.each([`${PRODUCT_KEY}.${DEVICE_NAME}`, `${DEVICE_NAME}.${PRODUCT_KEY}`])(
    'ALI-23 the base %s gets /ext/register without SUBSCRIBE',
    async (base) => {
      const { dialect, registry, records } = setUp();
      const answer = await dialect.authenticate(connect(base), TLS, registry);
      if (answer.outcome !== 'accepted') throw new TypeError(answer.reason);
      // The connection is nobody's: it displaces no Session of the device. REC-32
      expect(answer.principal).toMatchObject({ device: null, identity: null, account: null });
      const { openingMessages = [], closeAfterReplyMs } = dialect.openSession(answer.principal, deviceLink(4));
      const data = { productKey: PRODUCT_KEY, deviceName: DEVICE_NAME, deviceSecret: records.secret };
      expect(sentTexts(openingMessages)).toEqual([['/ext/register', JSON.stringify(data), 0]]);
      expect(closeAfterReplyMs).toBe(10_000);
    },
  );

  it('such a connection cannot publish or subscribe', async () => {
    const { dialect, registry } = setUp();
    const answer = await dialect.authenticate(connect('x'), TLS, registry);
    if (answer.outcome !== 'accepted') throw new TypeError(answer.reason);
    const session = dialect.openSession(answer.principal, deviceLink(4));
    const options = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    expect(session.subscribe('/ext/register', options).reasonCode).toBe(0x87);
    expect(fateOf(session.publish(dialectMessage('a', '')))).toBe('refused 0x87');
    expect([session.mayReceive('/ext/register'), session.mayPublishWill('a'), session.unsubscribe('a')]).toEqual([
      false,
      false,
      0x11,
    ]);
    expect(session.command({ kind: 'rpc', id: '1', method: 'a', params: '{}' })).toBe('notSupported');
  });

  it('ALI-26 the keep-alive is not checked', async () => {
    const { dialect, registry } = setUp();
    expect(connect('x').keepAlive).toBe(0);
    expect(await outcome(dialect, registry)).toBe('accepted');
  });

  it('without TLS only if the operator says so', async () => {
    const { dialect, registry, options } = setUp();
    expect(await outcome(dialect, registry, connect('x'), connectVia())).toBe('3/0x88');
    const lenient = new AlibabaDialect({ ...options, registerWithoutTls: true });
    expect(await outcome(lenient, registry, connect('x'), connectVia())).toBe('accepted');
  });

  it('refuses with 2 what the client ID says wrong, with 3 what the server cannot do, with 4 the rest', async () => {
    const { dialect, registry, records, options } = setUp();
    const refused = (changes: Parameters<typeof connect>[1]) => outcome(dialect, registry, connect('x', changes));
    expect(await refused({ parameters: 'authType=register,signmethod=hmacsha256' })).toBe('2/0x85');
    expect(await refused({ parameters: `authType=register,random=${RANDOM},signmethod=none` })).toBe('2/0x85');
    expect(await refused({ parameters: `authType=other,random=${RANDOM}` })).toBe('2/0x85');
    expect(await refused({ parameters: `authType=regnwl,random=${RANDOM}` })).toBe('4/0x86');
    expect(await refused({ sign: 'ff' })).toBe('4/0x86');
    expect(await refused({ username: 'lamp' })).toBe('4/0x86');
    expect(await refused({ username: 'lamp&unknown' })).toBe('4/0x86');
    records.working = false;
    expect(await refused({})).toBe('3/0x88');
    const { secrets: _left, ...without } = options;
    expect(await outcome(new AlibabaDialect(without), registry)).toBe('3/0x88');
  });
});

describe('TLS-PSK', () => {
  it('the key of a device is the text of its signature', () => {
    const { dialect } = setUp();
    const registry = credentialLookup({ [USERNAME]: holderOf('0123456789abcdef0123456789abcdef') });
    const key = (identity: string) => {
      const bytes = dialect.preSharedKey(identity, registry);
      return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    };
    expect(key(`devicename|hmacsha256|${PRODUCT_KEY}&${DEVICE_NAME}|2524608000000`)).toBe(
      '59574BB8B023F680C49AFB07E0AAD92909E414F08AEACDBCCEE29C84FB9A33F9',
    );
    for (const identity of [
      '',
      'devicename|hmacsha256|a|1',
      `devicename|hmacmd5|${PRODUCT_KEY}&${DEVICE_NAME}|1`,
      `devicename|hmacsha256|${PRODUCT_KEY}&lamp-02|1`,
      `devicename|hmacsha256|${PRODUCT_KEY}&${DEVICE_NAME}|x`,
    ]) {
      expect(key(identity)).toBeUndefined();
    }
    expect(
      dialect.preSharedKey(
        `devicename|hmacsha256|${PRODUCT_KEY}&${DEVICE_NAME}|1`,
        credentialLookup({ [USERNAME]: holderOf(null) }),
      ),
    ).toBeUndefined();
  });
});
