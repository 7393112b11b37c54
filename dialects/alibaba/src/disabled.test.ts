import { createHmac } from 'node:crypto';
import type { ConnectCredential, CredentialLookup, DeviceRef } from '@moorage/core';
import { type DialectSession, type OutboundMessage, ReasonCode } from '@moorage/dialect-api';
import { connectPacket, connectVia, credentialLookup, deviceLink, dialectMessage, sentTexts } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { AlibabaDialect } from './dialect.ts';
import { connectContent, type Hmac } from './signature.ts';
import { LAMP, noStore, PRODUCT_KEY, SECRET } from './testing/lamp.ts';
import { settled } from './testing/settled.ts';

const hmac: Hmac = (algorithm, key, text) => createHmac(algorithm, key).update(text).digest('hex');
const GATEWAY: DeviceRef = { ...LAMP, id: '5a8a8d3e-0000-4000-8000-000000000010', name: 'gw-01', gateway: true };
const PROBE: DeviceRef = { ...LAMP, id: '5a8a8d3e-0000-4000-8000-000000000011', name: 'probe-1' };
const ERROR = `/ext/error/${PRODUCT_KEY}/gw-01`;
const PROBE_TOPICS = `/sys/${PRODUCT_KEY}/probe-1/thing/`;
const NAMED = { productKey: PRODUCT_KEY, deviceName: 'probe-1' };

/** A gateway and a device that may be behind it; `probe` may be changed at any time. */
function scene(parameters = '_ss=1') {
  const state = { enabled: true, deleted: false };
  const credential = (device: DeviceRef): ConnectCredential => ({
    credentialsType: 'ALIBABA',
    device,
    application: null,
    username: `${device.name}&${PRODUCT_KEY}`,
    clientId: null,
    password: SECRET,
    enabled: device.id === PROBE.id ? state.enabled : true,
  });
  const registry: CredentialLookup = {
    ...credentialLookup({}),
    byUsername: (username) => {
      const device = [GATEWAY, PROBE].find(({ name }) => username === `${name}&${PRODUCT_KEY}`);
      if (device === undefined || (device === PROBE && state.deleted)) return undefined;
      return { dialect: 'alibaba', credentials: [credential(device)] };
    },
    ofDevice: (id) => [GATEWAY, PROBE].map(credential).find(({ device }) => device?.id === id),
  };
  const dialect = new AlibabaDialect({ hmac, now: () => 1_700_000_000_000, store: noStore, sessionGraceSeconds: 600 });
  const logIn = (device: DeviceRef, more: string, secret = SECRET) => {
    const identity = { productKey: PRODUCT_KEY, deviceName: device.name };
    const password = new TextEncoder().encode(hmac('md5', secret, connectContent(identity, 'x', undefined)));
    const clientId = `x|securemode=3,${more}|`;
    const packet = connectPacket({ clientId, username: `${device.name}&${PRODUCT_KEY}`, password });
    return { clientId, answer: settled(dialect.authenticate(packet, connectVia(), registry)) };
  };
  const { clientId, answer } = logIn(GATEWAY, parameters);
  if (answer.outcome !== 'accepted') throw new TypeError(answer.reason);
  const session = dialect.openSession(answer.principal, deviceLink(4, clientId));
  return { state, registry, dialect, logIn, session };
}

/** Topics and bodies. */
function bodies(messages: readonly OutboundMessage[] = []) {
  return messages.map(({ topicName, payload }) => {
    if (!(payload instanceof Uint8Array)) throw new TypeError('the payload was to be in memory');
    return [topicName, JSON.parse(new TextDecoder().decode(payload))] as const;
  });
}

/** What the gateway is told of its message at once. */
function told(session: DialectSession, topicName: string, body: object) {
  const { tell, intents } = session.publish(dialectMessage(topicName, JSON.stringify(body)));
  const replies = tell === undefined ? [] : (session.reply?.({ kind: 'outcome', ref: tell, outcome: 'stored' }) ?? []);
  return { intents, replies: bodies(replies) };
}

const combine = (session: DialectSession, sign = hmac('md5', SECRET, connectContent(NAMED, 'c', undefined))) =>
  told(session, `/ext/session/${PRODUCT_KEY}/gw-01/combine/login`, {
    id: '1',
    params: { ...NAMED, clientId: 'c', sign },
  });

function logInProbe(session: DialectSession): void {
  const [intent] = combine(session).intents;
  const [question] = intent?.kind === 'subDevice' ? intent.intents : [];
  if (question?.kind !== 'dialectRequest') throw new TypeError('nobody asks for the relation');
  session.reply?.({ kind: 'dialect', ref: question.ref, subDevice: 'probe-1', payload: '{"code":200}' });
}

const post = (session: DialectSession) =>
  told(session, `${PROBE_TOPICS}event/property/post`, { id: '7', params: { a: 1 } });

describe('a device that is disabled', () => {
  it('ALI-12 is refused with 5 if its signature is right, else as any other', () => {
    const { state, logIn } = scene();
    expect(logIn(PROBE, '_ss=0').answer.outcome).toBe('accepted');
    state.enabled = false;
    expect(logIn(PROBE, '_ss=0').answer).toMatchObject({
      returnCode: 5,
      reasonCode: 0x87,
      reason: 'probe-1 is disabled.',
    });
    expect(logIn(PROBE, '_ss=0', 'another').answer).toMatchObject({ returnCode: 4, reasonCode: 0x86 });
  });

  it('gets no tokens, and those it has are good for nothing', () => {
    const { state, dialect, registry } = scene();
    const withToken = () => {
      const clientId = 'x|securemode=-1|';
      const packet = connectPacket({ clientId, username: `probe-1&${PRODUCT_KEY}`, password: new Uint8Array(3) });
      return settled(dialect.authenticate(packet, connectVia(), registry));
    };
    expect(withToken()).toMatchObject({ returnCode: 4 });
    state.enabled = false;
    expect(withToken()).toMatchObject({ returnCode: 5 });
  });

  it('ALI-83 is not logged in by its gateway: 6204, after the signature was found right', () => {
    const { state, session } = scene();
    state.enabled = false;
    expect(combine(session).replies).toMatchObject([[expect.stringMatching(/login_reply$/), { code: 6204 }]]);
    expect(combine(session, '00').replies).toMatchObject([[expect.anything(), { code: 6287 }]]);
    state.enabled = true;
    expect(combine(session).intents).toMatchObject([{ kind: 'subDevice', name: 'probe-1' }]);
  });

  it('ALI-87 behind a gateway: the gateway is told thing/disable, 522 for the session and for every message, then thing/enable', () => {
    const { state, session } = scene();
    logInProbe(session);
    expect(post(session).intents).toMatchObject([{ kind: 'subDevice' }]);
    state.enabled = false;
    expect(sentTexts(session.subDeviceEnabled?.(PROBE, false) ?? [])).toEqual([
      [
        `${PROBE_TOPICS}disable`,
        expect.stringMatching(/^\{"id":"\d+","version":"1.0","params":\{\},"method":"thing.disable"/),
        1,
      ],
    ]);
    expect(bodies(session.subDeviceClosed?.('probe-1', ReasonCode.AdministrativeAction))).toEqual([
      [ERROR, { id: '', code: 522, message: 'sub-device disabled', data: NAMED }],
    ]);
    expect(post(session)).toMatchObject({ intents: [], replies: [[ERROR, { id: '7', code: 522, data: NAMED }]] });
    state.enabled = true;
    expect(sentTexts(session.subDeviceEnabled?.(PROBE, true) ?? [])).toMatchObject([
      [`${PROBE_TOPICS}enable`, expect.anything(), 1],
    ]);
    expect(post(session).replies).toMatchObject([[ERROR, { code: 520 }]]);
    for (const answer of ['disable_reply', 'enable_reply']) {
      expect(told(session, PROBE_TOPICS + answer, { id: '1', code: 200, data: {} })).toEqual({
        intents: [],
        replies: [],
      });
    }
  });

  it('a gateway that does not listen is told nothing, nor of devices that are no Link devices', () => {
    const { session } = scene('_ss=0');
    expect(session.subDeviceEnabled?.(PROBE, false)).toEqual([]);
    session.subscribe('/sys/+/+/thing/disable', {
      qos: 0,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
    });
    expect(session.subDeviceEnabled?.(PROBE, false)).toMatchObject([{ topicName: `${PROBE_TOPICS}disable`, qos: 0 }]);
    expect(scene().session.subDeviceEnabled?.({ ...PROBE, id: 'another' }, false)).toEqual([]);
  });
});

it('a device that was deleted is not made anew by what its gateway says for it', () => {
  const { state, session } = scene();
  logInProbe(session);
  state.deleted = true;
  const first = post(session);
  expect(first).toMatchObject({
    intents: [{ kind: 'subDeviceLeft', name: 'probe-1' }],
    replies: [[ERROR, { code: 521 }]],
  });
  state.deleted = false;
  expect(post(session)).toMatchObject({ intents: [], replies: [[ERROR, { code: 520 }]] });
});

it('ALI-92 subscriptions of a device with _ss=1 are given time, those of others are not', () => {
  const { logIn } = scene();
  const policyOf = (more: string) => {
    const { answer } = logIn(PROBE, more);
    return answer.outcome === 'accepted' ? answer.principal.policy : null;
  };
  expect(policyOf('_ss=1')).toMatchObject({ cleanGraceSeconds: 600 });
  expect(policyOf('_ss=0')).not.toHaveProperty('cleanGraceSeconds');
});

it('ALI-68 calls by rrpc take 1 to 8 seconds, others of the device what the caller likes', () => {
  const { dialect, registry } = scene();
  expect(dialect.rpcTimeoutRange(PROBE, 'rrpc', registry)).toEqual({ minimum: 1000, maximum: 8000 });
  expect(dialect.rpcTimeoutRange(PROBE, 'reboot', registry)).toBeNull();
  expect(dialect.rpcTimeoutRange({ ...PROBE, id: 'another' }, 'rrpc', registry)).toBeNull();
});

it('the Session of a device is known while it is away', () => {
  const { dialect, registry } = scene();
  expect(dialect.oneSession(PROBE, registry)).toBe(`${PROBE.id}/probe-1&${PRODUCT_KEY}`);
  expect(dialect.oneSession({ ...PROBE, id: 'another' }, registry)).toBeNull();
});
