import type { ApplicationRef } from '@moorage/core';
import type { DialectSession, QoS } from '@moorage/dialect-api';
import { connectPacket, connectVia, deviceLink, dialectMessage, fateOf } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { WaveshareDialect } from './dialect.ts';
import {
  accountOf,
  ESP32,
  MODEM,
  OTHER_TENANT,
  pubTopic,
  STRANGER,
  subTopic,
  TENANT,
  type TestDevice,
  testRegistry,
} from './testing/test-registry.ts';

const EVERYBODY = [ESP32, MODEM, STRANGER];

function openSession(
  { clientId }: TestDevice,
  level: 3 | 4 | 5 = 4,
  devices: readonly TestDevice[] = EVERYBODY,
  accounts: readonly ApplicationRef[] = [],
): DialectSession {
  const registry = testRegistry(devices, accounts);
  const dialect = new WaveshareDialect({ credentials: registry, now: () => 0, sampleResource: false });
  const answer = dialect.authenticate(connectPacket({ clientId }), connectVia(), registry);
  if (answer.outcome !== 'accepted') throw new TypeError(answer.reason);
  return dialect.openSession(answer.principal, deviceLink(level, clientId));
}

const PAYLOAD = '{"data":{"builtIn":1}}';
const options = (qos: QoS) => ({ qos, noLocal: false, retainAsPublished: false, retainHandling: 0 }) as const;

/** `routed`, `copied` or `refused 0x87`. */
function sent(session: DialectSession, topicName: string): string {
  const disposition = session.publish(dialectMessage(topicName, PAYLOAD));
  if (disposition.refuse !== null) return fateOf(disposition);
  return disposition.route ? 'routed' : 'copied';
}

const defaultAccount = (tenantId: string, shares: object[]) =>
  accountOf({ id: `default of ${tenantId}`, tenantId, configuration: { default: true, shares: shares as never } });

describe('what a device may publish (section 4.4)', () => {
  it('WS-12, WS-13 its own Pub topic and the Sub topics of its owner’s devices are routed as they are', () => {
    const modem = openSession(MODEM);
    for (const topicName of [pubTopic(MODEM), subTopic(ESP32), subTopic(MODEM)]) {
      const message = dialectMessage(topicName, PAYLOAD, { retain: true });
      const disposition = modem.publish(message);
      expect(disposition).toMatchObject({ route: true, refuse: null, close: null });
      expect(disposition.routeAs).toBeUndefined();
      expect(new TextDecoder().decode(message.payload)).toBe(PAYLOAD);
    }
  });

  it('WS-14 a message goes to the topic that it came with, and to no other', () => {
    const { copies = [], routeAs } = openSession(MODEM).publish(dialectMessage(pubTopic(MODEM), PAYLOAD));
    expect(copies).toEqual([]);
    expect(routeAs).toBeUndefined();
  });

  it('WS-17 the Pub topic of another device is refused and says nothing of that one', () => {
    const disposition = openSession(MODEM).publish(dialectMessage(pubTopic(ESP32), PAYLOAD));
    expect(fateOf(disposition)).toBe('refused 0x87');
    expect(disposition).toMatchObject({ route: false, intents: [], close: null });
  });

  it('WS-18 numbers that do not match, and client IDs that nobody has', () => {
    const modem = openSession(MODEM);
    for (const topicName of [
      'Pub/2/37/82b52f8b',
      'Pub/1/37/82B52F8B',
      'Pub/1/37',
      'Pub/1/37/82b52f8b/',
      'Sub/2/37/19ba7e8b',
      'Sub/1/38/19ba7e8b',
      'Sub/01/37/19ba7e8b',
      'Sub/1/37/00000000',
      'Sub/1/37/',
      'Sub/',
      'Pub/',
    ]) {
      expect(sent(modem, topicName), topicName).toBe('refused 0x87');
      expect(modem.mayPublishWill(topicName), topicName).toBe(false);
    }
  });

  it('WS-45 free topics are routed, those of the broker are not', () => {
    const modem = openSession(MODEM);
    for (const topicName of ['sensor/1/temperature', '/', 'Pub', 'pub/1/37/x', 'Submarine/1']) {
      expect(sent(modem, topicName), topicName).toBe('routed');
      expect(modem.mayPublishWill(topicName)).toBe(true);
    }
    for (const topicName of ['$SYS/broker/uptime', '$share/g/a', '$']) {
      expect(sent(modem, topicName), topicName).toBe('refused 0x87');
      expect(modem.mayPublishWill(topicName)).toBe(false);
    }
  });

  it('WS-15 the topics of another owner’s devices are closed', () => {
    const modem = openSession(MODEM);
    expect(sent(modem, pubTopic(STRANGER))).toBe('refused 0x87');
    expect(sent(modem, subTopic(STRANGER))).toBe('refused 0x87');
    expect(modem.mayPublishWill(subTopic(STRANGER))).toBe(false);
  });

  it('two accounts of one tenant are two owners', () => {
    const accounts = [accountOf({ id: 'account-1' })];
    const apart = [{ ...MODEM, accountId: 'account-1' }, ESP32];
    expect(sent(openSession(MODEM, 4, apart, accounts), subTopic(ESP32))).toBe('refused 0x87');
    const together = apart.map((one) => ({ ...one, accountId: 'account-1' }));
    expect(sent(openSession(MODEM, 4, together, accounts), subTopic(ESP32))).toBe('routed');
  });

  it('a Will is a message like any other, and the own Pub topic takes one', () => {
    const modem = openSession(MODEM);
    expect(modem.willIsMessage).toBe(true);
    expect(modem.mayPublishWill(pubTopic(MODEM))).toBe(true);
    expect(modem.mayPublishWill(pubTopic(ESP32))).toBe(false);
    expect(modem.mayPublishWill(subTopic(ESP32))).toBe(true);
  });

  it('a Will of a Session from before a restart keeps the rights of its device', () => {
    const registry = testRegistry(EVERYBODY);
    const dialect = new WaveshareDialect({ credentials: registry, now: () => 0, sampleResource: false });
    const answer = dialect.authenticate(connectPacket({ clientId: '82b52f8b' }), connectVia(), registry);
    if (answer.outcome !== 'accepted') throw new TypeError(answer.reason);
    const restored = { ...answer.principal, identity: null, account: '' };
    const session = dialect.openSession(restored, deviceLink(5, '82b52f8b'));
    expect([session.mayPublishWill(pubTopic(MODEM)), session.mayPublishWill(pubTopic(ESP32))]).toEqual([true, false]);
  });
});

describe('shares (section 4.4)', () => {
  const read = [{ deviceId: ESP32.device.id, account: OTHER_TENANT, access: 'READ' }];
  const write = [{ deviceId: ESP32.device.id, account: OTHER_TENANT, access: 'WRITE' }];

  it('WS-16 what a device publishes is copied to accounts that may read it, and is not retained there', () => {
    const session = openSession(ESP32, 4, EVERYBODY, [defaultAccount(TENANT, read)]);
    const message = dialectMessage(pubTopic(ESP32), PAYLOAD, { qos: 2, retain: true });
    const { route, copies } = session.publish(message);
    expect(route).toBe(true);
    expect(copies).toEqual([
      {
        tenantId: OTHER_TENANT,
        account: OTHER_TENANT,
        topicName: pubTopic(ESP32),
        payload: message.payload,
        qos: 2,
        retain: false,
      },
    ]);
  });

  it('a share is for the one device, and for what it publishes about itself', () => {
    const accounts = [defaultAccount(TENANT, read)];
    expect(openSession(MODEM, 4, EVERYBODY, accounts).publish(dialectMessage(pubTopic(MODEM), '')).copies).toBe(
      undefined,
    );
    for (const topicName of ['free', subTopic(ESP32)]) {
      const { copies } = openSession(ESP32, 4, EVERYBODY, accounts).publish(dialectMessage(topicName, PAYLOAD));
      expect(copies).toBeUndefined();
    }
  });

  it('a right to write lets devices of the account reach the Sub topic, in the space of its owner alone', () => {
    const session = openSession(STRANGER, 4, EVERYBODY, [defaultAccount(TENANT, write)]);
    const message = dialectMessage(subTopic(ESP32), PAYLOAD);
    expect(session.publish(message)).toEqual({
      route: false,
      copies: [
        {
          tenantId: TENANT,
          account: TENANT,
          topicName: subTopic(ESP32),
          payload: message.payload,
          qos: 1,
          retain: false,
        },
      ],
      intents: [
        {
          kind: 'deviceEvent',
          deviceId: ESP32.device.id,
          type: 'downlink',
          detail: `A message from ${STRANGER.clientId}.`,
        },
      ],
      refuse: null,
      close: null,
    });
    expect(session.mayPublishWill(subTopic(ESP32))).toBe(true);
    expect(sent(session, subTopic(MODEM))).toBe('refused 0x87');
    expect(sent(session, pubTopic(ESP32))).toBe('refused 0x87');
  });

  it('reading is not writing, and writing is not reading', () => {
    expect(sent(openSession(STRANGER, 4, EVERYBODY, [defaultAccount(TENANT, read)]), subTopic(ESP32))).toBe(
      'refused 0x87',
    );
    const { copies } = openSession(ESP32, 4, EVERYBODY, [defaultAccount(TENANT, write)]).publish(
      dialectMessage(pubTopic(ESP32), PAYLOAD),
    );
    expect(copies).toBeUndefined();
  });

  it('only the owner of a device shares it', () => {
    // The stranger's own account claims to share a device that it does not have.
    const claims = defaultAccount(OTHER_TENANT, [...read, ...write]);
    expect(openSession(ESP32, 4, EVERYBODY, [claims]).publish(dialectMessage(pubTopic(ESP32), '')).copies).toBe(
      undefined,
    );
    expect(sent(openSession(STRANGER, 4, EVERYBODY, [claims]), subTopic(ESP32))).toBe('refused 0x87');
  });

  it('an account is named by its application, the default one by its tenant or its application', () => {
    const named = [{ ...STRANGER, accountId: 'account-9' }, ESP32];
    const nine = accountOf({ id: 'account-9', tenantId: OTHER_TENANT });
    const standard = accountOf({ id: 'account-8', tenantId: OTHER_TENANT, configuration: { default: true } });
    const share = (account: string) => defaultAccount(TENANT, [{ deviceId: ESP32.device.id, account, access: 'READ' }]);
    const copiesTo = (account: string, accounts: readonly ApplicationRef[]) =>
      openSession(ESP32, 4, named, [share(account), ...accounts])
        .publish(dialectMessage(pubTopic(ESP32), ''))
        .copies?.map((copy) => [copy.tenantId, copy.account]);
    expect(copiesTo('account-9', [nine])).toEqual([[OTHER_TENANT, 'account-9']]);
    expect(copiesTo('account-8', [standard])).toEqual([[OTHER_TENANT, OTHER_TENANT]]);
    expect(copiesTo('account-9', [{ ...nine, enabled: false }])).toBeUndefined();
    // Nothing is delivered twice where the account is the device's own.
    expect(copiesTo(TENANT, [])).toBeUndefined();
  });

  it('malformed shares and too many of them do no harm', () => {
    const many = Array.from({ length: 500 }, (_, index) => ({
      deviceId: ESP32.device.id,
      account: `tenant-${index}`,
      access: 'READ',
    }));
    const account = defaultAccount(TENANT, [
      null as never,
      [] as never,
      {},
      { deviceId: 1, account: {} },
      { deviceId: ESP32.device.id, account: 'x', access: 'ALL' },
      ...many,
    ]);
    const { copies = [] } = openSession(ESP32, 4, EVERYBODY, [account]).publish(dialectMessage(pubTopic(ESP32), ''));
    expect(copies).toHaveLength(100);
    for (const shares of [5, 'x', {}, null]) {
      const odd = accountOf({ id: 'odd', configuration: { default: true, shares } });
      const { route } = openSession(ESP32, 4, EVERYBODY, [odd]).publish(dialectMessage(pubTopic(ESP32), ''));
      expect(route).toBe(true);
    }
  });
});

describe('what a device may subscribe to (section 4.4)', () => {
  it('WS-19, WS-26 any filter at the QoS that it asks for', () => {
    const session = openSession(MODEM);
    for (const [index, topicFilter] of ['#', 'Pub/1/37/+', subTopic(ESP32), '+/+', 'free'].entries()) {
      const qos = (index % 3) as QoS;
      expect(session.subscribe(topicFilter, options(qos))).toEqual({ reasonCode: qos, enter: [topicFilter] });
    }
  });

  it('WS-24 shared ones on every version', () => {
    for (const level of [3, 4, 5] as const) {
      const decision = openSession(MODEM, level).subscribe('$share/g/Pub/1/37/+', options(1));
      expect(decision).toEqual({ reasonCode: 1, enter: ['$share/g/Pub/1/37/+'] });
    }
  });

  it('not what begins with $', () => {
    for (const topicFilter of ['$SYS/#', '$SYS/broker/uptime', '$share/g/$SYS/#', '$share//x', '$']) {
      for (const level of [3, 4, 5] as const) {
        const decision = openSession(MODEM, level).subscribe(topicFilter, options(2));
        expect(decision).toEqual({ reasonCode: 0x87, enter: [] });
      }
    }
    expect(openSession(MODEM).mayReceive('$SYS/broker/uptime')).toBe(false);
  });

  it('WS-27 the tree decides about UNSUBSCRIBE, and delivery is free inside the space', () => {
    const session = openSession(MODEM);
    expect(session.unsubscribe('Pub/1/37/19ba7e8b')).toBeNull();
    expect([session.mayReceive(pubTopic(ESP32)), session.mayReceive('free')]).toEqual([true, true]);
  });
});
