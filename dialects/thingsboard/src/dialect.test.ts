import { readFileSync } from 'node:fs';
import {
  type ConnectCredential,
  type CredentialsType,
  DEFAULT_PROFILE_SETTINGS,
  type DeviceRef,
  NULL_ID,
} from '@moorage/core';
import type { Authentication, ConnectPacket } from '@moorage/dialect-api';
import { clientCertificate, connectPacket, connectVia, credentialLookup } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { ThingsboardDialect } from './dialect.ts';

interface ConnackRow {
  readonly row: string;
  readonly username?: string;
  readonly password?: string;
  readonly clientId: string;
  readonly certificate?: boolean;
  readonly returnCode: number;
  readonly reasonCode: number;
}

const connackRows = JSON.parse(
  readFileSync(new URL('./fixtures/connack-codes.json', import.meta.url), 'utf8'),
) as readonly ConnackRow[];

const dialect = new ThingsboardDialect();
const bytes = (text: string) => new TextEncoder().encode(text);

function device(name: string, transportType = 'DEFAULT'): DeviceRef {
  const settings = { ...DEFAULT_PROFILE_SETTINGS, transportType };
  return { id: `id-of-${name}`, tenantId: 'tenant', name, profileId: 'profile', gateway: false, settings };
}

function credential(
  name: string,
  credentialsType: CredentialsType,
  parts: Partial<Pick<ConnectCredential, 'username' | 'clientId' | 'password'>>,
  transportType?: string,
): ConnectCredential {
  const none = { username: null, clientId: null, password: null };
  return { credentialsType, device: device(name, transportType), application: null, ...none, ...parts };
}

const holder = (...credentials: ConnectCredential[]) => ({ dialect: 'thingsboard', credentials });
const registry = credentialLookup(
  {
    TOKEN: holder(credential('token', 'ACCESS_TOKEN', { username: 'TOKEN' })),
    'dn&pk': holder(credential('ampersand', 'ACCESS_TOKEN', { username: 'dn&pk' })),
    user: holder(credential('user', 'MQTT_BASIC', { username: 'user' })),
    userpass: holder(credential('userpass', 'MQTT_BASIC', { username: 'userpass', password: 'right' })),
    shared: holder(
      credential('pair-1', 'MQTT_BASIC', { username: 'shared', clientId: 'c1' }),
      credential('pair-2', 'MQTT_BASIC', { username: 'shared', clientId: 'c2', password: 'right' }),
    ),
    both: holder(
      credential('both-pair', 'MQTT_BASIC', { username: 'both', clientId: 'c1', password: 'right' }),
      credential('both-alone', 'ACCESS_TOKEN', { username: 'both' }),
    ),
    coap: holder(credential('coap', 'ACCESS_TOKEN', { username: 'coap' }, 'COAP')),
    mqtt: holder(credential('mqtt', 'ACCESS_TOKEN', { username: 'mqtt' }, 'MQTT')),
    U123456: { dialect: 'thingscale', credentials: [] },
  },
  {
    'client-only': holder(credential('client-only', 'MQTT_BASIC', { clientId: 'client-only' })),
    'modem-1': { dialect: 'waveshare', credentials: [] },
  },
);

function authenticate(fields: Partial<ConnectPacket>, via = connectVia()): Authentication {
  const answer = dialect.authenticate(connectPacket(fields), via, registry);
  if (answer instanceof Promise) throw new TypeError('Only a certificate chain is looked up in the stores.');
  return answer;
}

function acceptedName(fields: Partial<ConnectPacket>): string | undefined {
  const answer = authenticate(fields);
  return answer.outcome === 'accepted' ? answer.principal.device?.name : undefined;
}

/** No device, no tenant, no Session that another connection could take over. */
const PROVISIONING = {
  outcome: 'accepted',
  principal: { tenantId: NULL_ID, device: null, application: null, identity: null, account: null },
};

function codesOf(answer: Authentication): [number, number] | string {
  return answer.outcome === 'refused' ? [answer.returnCode, answer.reasonCode] : answer.outcome;
}

describe('credentials', () => {
  it('TB-1 accepts a token as user name without password and with any client ID, also an empty one', () => {
    for (const level of [4, 5] as const) {
      for (const clientId of ['', 'any', 'x|y=1|', 'a'.repeat(60)]) {
        expect(acceptedName({ level, clientId, username: 'TOKEN' }), `${level} ${clientId}`).toBe('token');
      }
    }
  });

  it('TB-2 accepts a token with an arbitrary password', () => {
    expect(acceptedName({ username: 'TOKEN', password: bytes('whatever') })).toBe('token');
  });

  it('TB-3 an unknown token is left to the others, and on its own listener refused with 5 / 0x86', () => {
    expect(authenticate({ username: 'nobody' }).outcome).toBe('notMine');
    expect(codesOf(authenticate({ username: 'nobody' }, connectVia({ pinnedDialect: 'thingsboard' })))).toEqual([
      5, 0x86,
    ]);
  });

  it('TB-4 an unknown client ID alone is left to the others, and on its own listener refused with 2 / 0x85', () => {
    expect(authenticate({ clientId: 'nobody' }).outcome).toBe('notMine');
    expect(codesOf(authenticate({ clientId: 'nobody' }, connectVia({ pinnedDialect: 'thingsboard' })))).toEqual([
      2, 0x85,
    ]);
  });

  it('TB-5 MQTT_BASIC authenticates in all five combinations', () => {
    const right = bytes('right');
    expect(acceptedName({ clientId: 'any', username: 'user' })).toBe('user');
    expect(acceptedName({ clientId: 'any', username: 'userpass', password: right })).toBe('userpass');
    expect(acceptedName({ clientId: 'client-only' })).toBe('client-only');
    expect(acceptedName({ clientId: 'c1', username: 'shared' })).toBe('pair-1');
    expect(acceptedName({ clientId: 'c2', username: 'shared', password: right })).toBe('pair-2');
  });

  it('TB-6 MQTT_BASIC with a wrong or missing password is refused with 5 / 0x86', () => {
    for (const password of [bytes('wrong'), bytes(''), bytes('rightright'), bytes('righ'), null]) {
      expect(codesOf(authenticate({ username: 'userpass', password }))).toEqual([5, 0x86]);
      expect(codesOf(authenticate({ clientId: 'c2', username: 'shared', password }))).toEqual([5, 0x86]);
    }
  });

  it('a wrong password for the pair is final although the user name alone would be let in (1.3)', () => {
    expect(codesOf(authenticate({ clientId: 'c1', username: 'both', password: bytes('wrong') }))).toEqual([5, 0x86]);
    expect(acceptedName({ clientId: 'other', username: 'both' })).toBe('both-alone');
  });

  it('refuses a profile bound to another transport with 3 / 0x88 (1.3)', () => {
    expect(codesOf(authenticate({ username: 'coap' }))).toEqual([3, 0x88]);
    expect(acceptedName({ username: 'mqtt' })).toBe('mqtt');
  });

  it.each(connackRows)('1.5 on its own listener: $row', ({ username, password, clientId, certificate, ...codes }) => {
    const via = connectVia({
      pinnedDialect: 'thingsboard',
      clientCertificates: certificate === true ? [clientCertificate('unknown')] : null,
    });
    const connect = { username: username ?? null, password: password === undefined ? null : bytes(password), clientId };
    expect(codesOf(authenticate(connect, via))).toEqual([codes.returnCode, codes.reasonCode]);
  });

  it('REC-34 an empty client ID is refused with 2 on 3.1 and on 3.1.1 without clean session, and made by the server else', () => {
    expect(codesOf(authenticate({ level: 3, username: 'TOKEN' }))).toEqual([2, 0x85]);
    expect(codesOf(authenticate({ level: 4, cleanStart: false, username: 'TOKEN' }))).toEqual([2, 0x85]);
    for (const connect of [{ level: 4 }, { level: 5 }, { level: 5, cleanStart: false }] as const) {
      const answer = authenticate({ ...connect, username: 'TOKEN' });
      expect(answer.outcome === 'accepted' && answer.principal.assignedClientId).toMatch(/\S/);
    }
  });

  it('REC-35 a client ID of 60 characters is accepted on 3.1', () => {
    expect(acceptedName({ level: 3, clientId: 'c'.repeat(60), username: 'TOKEN' })).toBe('token');
  });

  it('the identity is the device, whatever the client ID, and nothing is routed', () => {
    const answer = authenticate({ clientId: 'x', username: 'TOKEN' });
    expect(answer).toMatchObject({
      outcome: 'accepted',
      principal: { identity: 'id-of-token', account: null, policy: { persistence: 'never', will: 'ignored' } },
    });
  });
});

describe('recognition', () => {
  it('TB-68 REC-4 U = provision, and C = provision without a known U, are provisioning sessions with any password', () => {
    for (const connect of [
      { username: 'provision', clientId: 'any', password: bytes('x') },
      { username: 'provision', clientId: 'modem-1' },
      { clientId: 'provision' },
      { username: '', clientId: 'provision' },
      { username: 'nobody', clientId: 'provision' },
    ]) {
      expect(authenticate(connect)).toMatchObject(PROVISIONING);
    }
    expect(dialect.recognise(connectPacket({ username: 'provision' }), connectVia())).toBe('yes');
    expect(dialect.recognise(connectPacket({ clientId: 'provision' }), connectVia())).toBe('yes');
    expect(dialect.recognise(connectPacket({ clientId: 'provision', username: 'u' }), connectVia())).toBe('maybe');
  });

  it('REC-34 a provisioning session with an empty client ID gets one of its own on every version', () => {
    const made = ([3, 4, 5] as const).map((level) => {
      const answer = authenticate({ level, cleanStart: false, username: 'provision' });
      return answer.outcome === 'accepted' ? answer.principal.assignedClientId : null;
    });
    expect(new Set(made).size).toBe(3);
    expect(made.every((clientId) => clientId?.startsWith('provision-'))).toBe(true);
  });

  it('REC-5 C = provision beside a user name of another dialect is not a provisioning session', () => {
    expect(authenticate({ username: 'U123456', clientId: 'provision' }).outcome).toBe('notMine');
    expect(acceptedName({ username: 'TOKEN', clientId: 'provision' })).toBe('token');
  });

  it('R1 on its own listener C = provision wins over a known U', () => {
    const via = connectVia({ pinnedDialect: 'thingsboard' });
    expect(authenticate({ username: 'TOKEN', clientId: 'provision' }, via)).toMatchObject(PROVISIONING);
  });

  it('REC-8 an unknown client certificate with a valid token is refused with 5 / 0x87; other names are left alone', () => {
    const via = connectVia({ clientCertificates: [clientCertificate('unknown')] });
    expect(codesOf(authenticate({ username: 'TOKEN' }, via))).toEqual([5, 0x87]);
    expect(authenticate({ username: 'U123456' }, via).outcome).toBe('notMine');
    expect(authenticate({ clientId: 'client-only' }, via).outcome).toBe('notMine');
  });

  it('REC-10 bars in the client ID do not matter', () => {
    for (const clientId of ['x|y=1|', 'a|b']) expect(acceptedName({ clientId, username: 'TOKEN' })).toBe('token');
  });

  it('REC-14 a token that contains & logs in', () => {
    expect(acceptedName({ clientId: 'c', username: 'dn&pk' })).toBe('ampersand');
  });

  it('REC-15 a name of another dialect is notMine, however it looks', () => {
    expect(authenticate({ username: 'U123456' }).outcome).toBe('notMine');
    expect(authenticate({ clientId: 'modem-1' }).outcome).toBe('notMine');
  });

  it('REC-17 two records with one user name are told apart by the client ID', () => {
    expect(acceptedName({ clientId: 'c1', username: 'shared' })).toBe('pair-1');
    expect(acceptedName({ clientId: 'c2', username: 'shared', password: bytes('right') })).toBe('pair-2');
  });

  it('REC-24 a client-ID-only credential needs an empty user name', () => {
    expect(acceptedName({ clientId: 'client-only' })).toBe('client-only');
    expect(acceptedName({ clientId: 'client-only', username: '' })).toBe('client-only');
    expect(authenticate({ clientId: 'client-only', username: 'nobody' }).outcome).toBe('notMine');
  });

  it('REC-26 a pair with the wrong client ID is refused with 5 / 0x86, whoever has that client ID', () => {
    expect(codesOf(authenticate({ clientId: 'modem-1', username: 'shared' }))).toEqual([5, 0x86]);
  });

  it('a client without any credential is not asked for', () => {
    expect(dialect.recognise(connectPacket({}), connectVia())).toBe('no');
    expect(dialect.recognise(connectPacket({ clientId: 'c' }), connectVia())).toBe('maybe');
    expect(
      dialect.recognise(connectPacket({}), connectVia({ clientCertificates: [clientCertificate('unknown')] })),
    ).toBe('maybe');
  });
});
