import type { CredentialLookup } from '@moorage/core';
import type { Authentication, ConnectPacket, ProtocolLevel } from '@moorage/dialect-api';
import { connectPacket, connectVia } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { APPLICATION, application, examples, lookupOf, openDialect, TENANT } from './testing/tools.ts';

const LEVELS: readonly ProtocolLevel[] = [3, 4, 5];
const NOT_AUTHORIZED = { outcome: 'refused', returnCode: 5, reasonCode: 0x87 };

function connect(fields: Partial<ConnectPacket> = {}, secret = examples.appSecret): ConnectPacket {
  const password = new TextEncoder().encode(secret);
  return connectPacket({ clientId: 'foobar', username: examples.appId, password, ...fields });
}

function authenticate(
  packet: ConnectPacket,
  { registry = lookupOf(application()), pinned = false, connections = 0, now = 0 } = {} as {
    registry?: CredentialLookup;
    pinned?: boolean;
    connections?: number;
    now?: number;
  },
): Authentication {
  const test = openDialect({
    connectionsOf: (id, except) => (id === APPLICATION && except !== 'known' ? connections : 0),
  });
  if (now !== 0) test.now = now;
  const via = connectVia({ pinnedDialect: pinned ? 'sensoro' : null });
  const answer = test.dialect.authenticate(packet, via, registry);
  if (answer instanceof Promise) throw new TypeError('nothing is waited for');
  return answer;
}

describe('CONNECT of an application', () => {
  it('SEN-1 AppID, AppSecret and client ID `foobar` are accepted on every version', () => {
    for (const level of LEVELS) {
      const answer = authenticate(connect({ level }));
      expect(answer).toMatchObject({
        outcome: 'accepted',
        principal: {
          dialect: 'sensoro',
          tenantId: TENANT,
          device: null,
          application: { id: APPLICATION },
          identity: `${APPLICATION}/foobar`,
          assignedClientId: null,
          account: APPLICATION,
          policy: {
            maximumGrantedQoS: 1,
            persistence: 'asRequested',
            maximumSessionExpiryInterval: 86_400,
            retained: 'ignored',
            will: 'ignored',
            queue: { messages: 10_000, ageMs: 86_400_000 },
          },
        },
      });
    }
  });

  it('SEN-2 every client ID that the vendor allows is accepted, every other one refused with code 5', () => {
    for (const clientId of examples.validClientIds)
      expect(authenticate(connect({ clientId })).outcome, clientId).toBe('accepted');
    for (const clientId of examples.invalidClientIds) {
      for (const level of LEVELS) expect(authenticate(connect({ clientId, level }))).toMatchObject(NOT_AUTHORIZED);
    }
  });

  it('SEN-3 a wrong or missing password is refused with code 5', () => {
    for (const secret of ['', 'wrong', `${examples.appSecret}x`, examples.appSecret.slice(1)]) {
      const answer = authenticate(connect({}, secret));
      expect(answer).toMatchObject(NOT_AUTHORIZED);
      expect(JSON.stringify(answer)).not.toContain(examples.appSecret);
    }
    expect(authenticate(connect({ password: null }))).toMatchObject(NOT_AUTHORIZED);
  });

  it('SEN-4 an unknown name is refused with code 5 on a pinned listener, and left to others elsewhere', () => {
    const registry: CredentialLookup = {
      ...lookupOf(application()),
      byUsername: (name) =>
        name === 'boiler' ? { dialect: 'plain', credentials: [application({ appId: 'boiler' })] } : undefined,
    };
    for (const username of ['nobody', 'boiler', null]) {
      expect(authenticate(connect({ username }), { registry, pinned: true })).toMatchObject(NOT_AUTHORIZED);
      expect(authenticate(connect({ username }), { registry }).outcome).toBe('notMine');
    }
  });

  it('SEN-5 an AppID is no pattern', () => {
    const registry = lookupOf(application({ appId: 'a.b' }));
    const username = 'a.b';
    for (const clientId of ['a.b', 'a.b/x'])
      expect(authenticate(connect({ username, clientId }), { registry }).outcome).toBe('accepted');
    for (const clientId of ['axb', 'axb/x'])
      expect(authenticate(connect({ username, clientId }), { registry })).toMatchObject(NOT_AUTHORIZED);
  });

  it('SEN-6 a client ID of 49 characters is accepted on MQTT 3.1', () => {
    const appId = 'AbCdEfGhIjKl';
    const clientId = `${appId}/6ba7b810-9dad-11d1-80b4-00c04fd430c8`;
    expect(clientId).toHaveLength(49);
    const registry = lookupOf(application({ appId }));
    expect(authenticate(connect({ level: 3, username: appId, clientId }), { registry }).outcome).toBe('accepted');
  });

  it('a disabled application is refused with code 5', () => {
    expect(authenticate(connect(), { registry: lookupOf(application({ enabled: false })) })).toMatchObject(
      NOT_AUTHORIZED,
    );
  });

  it('the AppSecret before a rotation holds as long as it is said to', () => {
    const previous = { previousAppSecret: 'the one before', previousAppSecretValidUntil: '5000' };
    const registry = lookupOf(application({ secrets: previous }));
    expect(authenticate(connect({}, 'the one before'), { registry, now: 4_999 }).outcome).toBe('accepted');
    expect(authenticate(connect(), { registry, now: 4_999 }).outcome).toBe('accepted');
    expect(authenticate(connect({}, 'the one before'), { registry, now: 5_000 })).toMatchObject(NOT_AUTHORIZED);
  });

  it('the 51st connection is refused with 3 or 0x97, one that takes the place of another is not', () => {
    expect(authenticate(connect(), { connections: 49 }).outcome).toBe('accepted');
    expect(authenticate(connect(), { connections: 50 })).toMatchObject({ returnCode: 3, reasonCode: 0x97 });
    const registry = lookupOf(application({ appId: 'known' }));
    const again = connect({ username: 'known', clientId: 'known' });
    expect(authenticate(again, { registry, connections: 50 }).outcome).toBe('accepted');
  });
});

describe('connection guide', () => {
  it('says that applications connect, not devices', () => {
    const { dialect } = openDialect();
    const endpoint = { host: 'iot.example.com', mqttPort: 1883, mqttsPort: null, httpPort: null };
    const guide = dialect.connectionGuide(
      { name: 'a "device"' } as Parameters<typeof dialect.connectionGuide>[0],
      {} as never,
      endpoint,
    );
    expect(guide.endpoints).toEqual([{ protocol: 'mqtt', host: 'iot.example.com', port: 1883 }]);
    expect(guide.snippets[0]?.text).toContain('sensoro.sn');
  });
});
