import { type Intent, type ProvisionOutcome, type ProvisionRequest, ValueReader } from '@moorage/core';
import type { ProtocolLevel, QoS } from '@moorage/dialect-api';
import { deviceLink, dialectMessage, fateOf, sentTexts } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { ProvisioningSession } from './provisioning-session.ts';

const REQUEST = '/provision/request';
const RESPONSE = '/provision/response';
const reader = new ValueReader();
const open = (level: ProtocolLevel = 5) => new ProvisioningSession(reader, deviceLink(level, 'provision'));
const options = (qos: QoS) => ({ qos, noLocal: false, retainAsPublished: false, retainHandling: 0 }) as const;

function publish(payload: string, level: ProtocolLevel = 5, qos: QoS = 1, topicName = REQUEST) {
  return open(level).publish(dialectMessage(topicName, payload, { qos }));
}

function requestOf(payload: string): ProvisionRequest | undefined {
  const intents: readonly Intent[] = publish(payload).intents;
  return intents[0]?.kind === 'provision' ? intents[0].request : undefined;
}

const KEYS = '"provisionDeviceKey":"key","provisionDeviceSecret":"secret"';
const NOTHING_ASKED: ProvisionRequest = {
  deviceKey: 'key',
  deviceSecret: 'secret',
  deviceName: null,
  credentialsType: null,
  token: null,
  clientId: null,
  username: null,
  password: null,
  certificate: null,
  gateway: false,
};

describe('a provisioning session', () => {
  it('TB-69 grants /provision/response alone', () => {
    const session = open();
    for (const filter of [
      '#',
      '/provision/+',
      '/provision/request',
      'v1/devices/me/attributes',
      'provision/response',
    ]) {
      expect(session.subscribe(filter, options(1)), filter).toEqual({ reasonCode: 0x8f, enter: [] });
    }
    expect(session.unsubscribe(RESPONSE)).toBe(0x11);
    expect(session.subscribe(RESPONSE, options(2))).toEqual({ reasonCode: 1, enter: [] });
    expect(session.unsubscribe(RESPONSE)).toBe(0);
    expect(session.unsubscribe('v2/a')).toBe(0x11);
  });

  it('TB-69 is closed with 0x90 by any other topic', () => {
    for (const level of [3, 4, 5] as const) {
      for (const topic of ['/provision', 'v1/devices/me/telemetry', 'v1/devices/me/rpc/request/1', RESPONSE]) {
        const disposition = publish(`{${KEYS}}`, level, 0, topic);
        expect(fateOf(disposition), topic).toBe('closed 0x90');
        expect(disposition.refuse?.reasonCode).toBe(0x90);
      }
    }
  });

  it('takes every member of a request', () => {
    const asked = `{${KEYS},"deviceName":" pump 7 ","credentialsType":"MQTT_BASIC","token":"t","clientId":"c",
      "username":"u","password":"p","hash":"MIIB","gateway":true,"other":[1]}`;
    expect(requestOf(asked)).toEqual({
      ...NOTHING_ASKED,
      deviceName: ' pump 7 ',
      credentialsType: 'MQTT_BASIC',
      token: 't',
      clientId: 'c',
      username: 'u',
      password: 'p',
      certificate: 'MIIB',
      gateway: true,
    });
  });

  it('TB-75 null and empty members are absent', () => {
    const nulls =
      '"deviceName":null,"credentialsType":null,"token":null,"clientId":"","username":null,"hash":"","gateway":null';
    expect(requestOf(`{${KEYS},${nulls}}`)).toEqual(NOTHING_ASKED);
    expect(requestOf(`{${KEYS}}`)).toEqual(NOTHING_ASKED);
  });

  it('reads requests leniently (2.2)', () => {
    expect(requestOf("{provisionDeviceKey:key; 'provisionDeviceSecret'='secret' # end\n}")).toEqual(NOTHING_ASKED);
  });

  it('is closed with 0x83 without key or secret, and by an unknown type of credentials', () => {
    for (const payload of [
      '{}',
      '{"provisionDeviceKey":"key"}',
      '{"provisionDeviceSecret":"secret"}',
      '{"provisionDeviceKey":null,"provisionDeviceSecret":"secret"}',
      '{"provisionDeviceKey":{},"provisionDeviceSecret":"secret"}',
      `{${KEYS},"credentialsType":"LWM2M_CREDENTIALS"}`,
      `{${KEYS},"credentialsType":"PLAIN"}`,
      `{${KEYS},"deviceName":["a"]}`,
    ]) {
      for (const level of [4, 5] as const) expect(fateOf(publish(payload, level)), payload).toBe('closed 0x83');
    }
    expect(requestOf('{"provisionDeviceKey":"","provisionDeviceSecret":""}')?.deviceKey).toBe('');
  });

  it('a request that is no JSON object is a payload error (1.9)', () => {
    for (const payload of ['', '[]', 'null', '{"a"', `{${KEYS}}{`]) {
      expect(fateOf(publish(payload)), payload).toBe('refused 0x99');
      expect(fateOf(publish(payload, 5, 0)), payload).toBe('closed 0x99');
      expect(fateOf(publish(payload, 4)), payload).toBe('closed 0x99');
    }
    expect(fateOf(publish('x'.repeat(65_537)))).toBe('closed 0x81');
  });

  it('TB-71 answers in the shapes of 6.2', () => {
    const value = '{"clientId":"c","userName":"u","password":"p\\""}';
    const rows: [ProvisionOutcome, string][] = [
      [
        { status: 'SUCCESS', credentialsType: 'ACCESS_TOKEN', credentialsValue: 'a"b' },
        '{"credentialsValue":"a\\"b","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}',
      ],
      [
        { status: 'SUCCESS', credentialsType: 'MQTT_BASIC', credentialsValue: value },
        `{"credentialsValue":${value},"credentialsType":"MQTT_BASIC","status":"SUCCESS"}`,
      ],
      [
        { status: 'SUCCESS', credentialsType: 'X509_CERTIFICATE', credentialsValue: 'MIIB' },
        '{"credentialsValue":"MIIB","credentialsType":"X509_CERTIFICATE","status":"SUCCESS"}',
      ],
      [{ status: 'NOT_FOUND' }, '{"errorMsg":"Provision data was not found!","status":"NOT_FOUND"}'],
      [
        { status: 'FAILURE', reason: 'the name is taken' },
        '{"errorMsg":"Failed to provision device!","status":"FAILURE"}',
      ],
    ];
    for (const [outcome, text] of rows) {
      expect(sentTexts(open().reply({ kind: 'provision', ref: RESPONSE, outcome }))).toEqual([[RESPONSE, text, 1]]);
    }
  });

  it('TB-74 answers whether or not it was subscribed to, and closes a minute later', () => {
    const session = open();
    const reply = { kind: 'provision', ref: RESPONSE, outcome: { status: 'NOT_FOUND' } } as const;
    expect(session.reply(reply)[0]?.qos).toBe(1);
    session.subscribe(RESPONSE, options(0));
    expect(session.reply(reply)[0]?.qos).toBe(0);
    expect(session.closeAfterReplyMs).toBe(60_000);
  });

  it('hears no commands and routes nothing', () => {
    expect(open().command()).toBe('notSupported');
    expect(open().mayReceive()).toBe(false);
    expect(open().mayPublishWill()).toBe(false);
  });
});
