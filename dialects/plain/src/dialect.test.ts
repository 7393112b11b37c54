import { type ApplicationRef, type ConnectCredential, DEFAULT_PROFILE_SETTINGS, type DeviceRef } from '@moorage/core';
import type { Authentication, ConnectPacket } from '@moorage/dialect-api';
import { connectPacket, connectVia, credentialLookup } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { PlainDialect, type PlainDialectOptions } from './dialect.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const right = bytes('right');

function plain(options: Partial<PlainDialectOptions> = {}): PlainDialect {
  return new PlainDialect({
    anonymous: false,
    anonymousTenantId: 'default-tenant',
    denySubscribe: [],
    randomBytes: (length) => Uint8Array.from({ length }, (_, i) => i * 7),
    ...options,
  });
}

const device: DeviceRef = {
  id: 'device-id',
  tenantId: 'tenant',
  name: 'boiler',
  profileId: 'profile',
  gateway: false,
  settings: DEFAULT_PROFILE_SETTINGS,
};

function application(configuration: ApplicationRef['configuration'], enabled = true): ApplicationRef {
  return { id: 'app-id', tenantId: 'tenant', name: 'app', enabled, configuration };
}

function ofDevice(clientId: string | null): ConnectCredential {
  return { credentialsType: 'PLAIN', device, application: null, username: 'u', clientId, password: 'right' };
}

function ofApplication(ref: ApplicationRef): ConnectCredential {
  return {
    credentialsType: 'APPLICATION',
    device: null,
    application: ref,
    username: 'u',
    clientId: null,
    password: 'right',
  };
}

const holder = (...credentials: ConnectCredential[]) => ({ dialect: 'plain', credentials });
const registry = credentialLookup(
  {
    boiler: holder(ofDevice(null)),
    fixed: holder(ofDevice('only-this')),
    app: holder(ofApplication(application({}))),
    prefixed: holder(ofApplication(application({ clientIdPrefix: 'app-' }))),
    off: holder(ofApplication(application({}, false))),
    foreign: { dialect: 'thingsboard', credentials: [] },
  },
  { 'modem-1': { dialect: 'waveshare', credentials: [] } },
);

function authenticate(fields: Partial<ConnectPacket>, dialect = plain(), via = connectVia()): Authentication {
  return dialect.authenticate(connectPacket(fields), via, registry);
}

function codesOf(answer: Authentication): [number, number] | string {
  return answer.outcome === 'refused' ? [answer.returnCode, answer.reasonCode] : answer.outcome;
}

function principalOf(fields: Partial<ConnectPacket>, dialect = plain()) {
  const answer = authenticate(fields, dialect);
  if (answer.outcome !== 'accepted') throw new TypeError(answer.reason);
  return answer.principal;
}

describe('credentials', () => {
  it('PL-1 a device logs in with user name and password, and any client ID unless one is fixed', () => {
    expect(principalOf({ clientId: 'any', username: 'boiler', password: right }).device).toBe(device);
    expect(principalOf({ clientId: 'only-this', username: 'fixed', password: right }).device).toBe(device);
  });

  it('PL-2 an application logs in with user name and password', () => {
    const principal = principalOf({ clientId: 'any', username: 'app', password: right });
    expect(principal).toMatchObject({ device: null, application: { name: 'app' }, tenantId: 'tenant' });
  });

  it('PL-3 an application with a prefix logs in only with client IDs that begin with it', () => {
    expect(principalOf({ clientId: 'app-1', username: 'prefixed', password: right }).identity).toBe('app-id/app-1');
    expect(codesOf(authenticate({ clientId: 'other', username: 'prefixed', password: right }))).toEqual([5, 0x86]);
    expect(principalOf({ username: 'prefixed', password: right }).assignedClientId).toMatch(
      /^app-auto-[A-Za-z0-9]{22}$/,
    );
  });

  it('PL-4 REC-29 a wrong password, a missing one and a wrong client ID get the code of an unknown user name', () => {
    // The host refuses a name that is nobody's with 5 / 0x86 (recognition.md, F8), a pinned listener with the same.
    const pinned = connectVia({ pinnedDialect: 'plain' });
    expect(codesOf(authenticate({ username: 'nobody', password: right }, plain(), pinned))).toEqual([5, 0x86]);
    for (const username of ['boiler', 'app']) {
      for (const password of [bytes('wrong'), bytes(''), null]) {
        expect(codesOf(authenticate({ clientId: 'c', username, password }))).toEqual([5, 0x86]);
      }
    }
    expect(codesOf(authenticate({ clientId: 'other', username: 'fixed', password: right }))).toEqual([5, 0x86]);
  });

  it('PL-5 a name that is unknown or belongs to another dialect is notMine', () => {
    for (const username of ['nobody', 'foreign'])
      expect(authenticate({ username, password: right }).outcome).toBe('notMine');
  });

  it('PL-6 passwords are compared byte by byte', () => {
    const umlaut = credentialLookup({ u: holder({ ...ofDevice(null), password: 'grün' }) });
    const answer = (password: Uint8Array) =>
      plain().authenticate(connectPacket({ clientId: 'c', username: 'u', password }), connectVia(), umlaut).outcome;
    expect(answer(bytes('grün'))).toBe('accepted');
    expect(answer(bytes('gru\u0308n'))).toBe('refused');
    expect(answer(Uint8Array.of(0xff))).toBe('refused');
  });

  it('PL-7 a disabled application gets 5 / 0x87, but only with its right password', () => {
    expect(codesOf(authenticate({ clientId: 'c', username: 'off', password: right }))).toEqual([5, 0x87]);
    expect(codesOf(authenticate({ clientId: 'c', username: 'off', password: bytes('wrong') }))).toEqual([5, 0x86]);
  });
});

describe('client ID and Session', () => {
  it('PL-8 the Session belongs to principal and client ID, in the space of the tenant', () => {
    const principal = principalOf({ clientId: 'a/b', username: 'boiler', password: right });
    expect(principal).toMatchObject({ identity: 'device-id/a/b', assignedClientId: null, account: '' });
  });

  it('PL-9 REC-34 an empty client ID: 2 on 3.1 and on 3.1.1 without clean session, else made by the server', () => {
    const login = { username: 'boiler', password: right };
    expect(codesOf(authenticate({ ...login, level: 3 }))).toEqual([2, 0x85]);
    expect(codesOf(authenticate({ ...login, level: 4, cleanStart: false }))).toEqual([2, 0x85]);
    for (const connect of [{ level: 4 }, { level: 5 }, { level: 5, cleanStart: false }] as const) {
      const { assignedClientId, identity } = principalOf({ ...login, ...connect });
      expect(assignedClientId).toMatch(/^auto-[A-Za-z0-9]{22}$/);
      expect(identity).toBe(`device-id/${assignedClientId}`);
    }
  });

  it('PL-9 the generated part takes every letter and digit', () => {
    const seen = new Set<string>();
    for (let round = 0; round < 256; round++) {
      const dialect = plain({ randomBytes: (length) => new Uint8Array(length).fill(round) });
      seen.add(principalOf({ username: 'boiler', password: right }, dialect).assignedClientId?.at(-1) ?? '');
    }
    expect(seen.size).toBe(62);
  });

  it('REC-35 a client ID of 60 characters is accepted on 3.1', () => {
    const clientId = 'c'.repeat(60);
    expect(principalOf({ level: 3, clientId, username: 'boiler', password: right }).identity).toBe(
      `device-id/${clientId}`,
    );
  });

  it('REC-31 equal client IDs of two principals are two Sessions', () => {
    const one = principalOf({ clientId: 'c', username: 'boiler', password: right });
    const two = principalOf({ clientId: 'c', username: 'app', password: right });
    expect(one.identity).not.toBe(two.identity);
  });

  it('PL-10 the whole standard is offered', () => {
    expect(principalOf({ clientId: 'c', username: 'boiler', password: right }).policy).toEqual({
      maximumGrantedQoS: 2,
      persistence: 'asRequested',
      maximumSessionExpiryInterval: 604_800,
      will: 'honoured',
      retained: 'honoured',
      maximumPacketSize: 1_048_576,
      receiveMaximum: 100,
      topicAliasMaximum: 32,
      maximumSubscriptions: 10_000,
      queue: { messages: 10_000, bytes: 67_108_864, ageMs: 604_800_000 },
      serverKeepAlive: null,
    });
  });
});

describe('anonymous access', () => {
  const open = plain({ anonymous: true });

  it('PL-11 REC-40 is off by default: no user name is notMine, on its own listener 5 / 0x87', () => {
    for (const username of [null, '']) {
      expect(authenticate({ clientId: 'c', username }).outcome).toBe('notMine');
      expect(
        codesOf(authenticate({ clientId: 'c', username }, plain(), connectVia({ pinnedDialect: 'plain' }))),
      ).toEqual([5, 0x87]);
      expect(plain().recognise(connectPacket({ clientId: 'c', username }))).toBe('no');
    }
  });

  it('PL-12 REC-40 on: who sends no user name, or an empty one, becomes the anonymous principal of the tenant', () => {
    for (const username of [null, '']) {
      expect(open.recognise(connectPacket({ clientId: 'c', username }))).toBe('maybe');
      const principal = principalOf({ clientId: 'c', username }, open);
      expect(principal).toMatchObject({ tenantId: 'default-tenant', device: null, application: null, account: '' });
    }
  });

  it('PL-12 REC-40 on: a registered client ID of another dialect keeps its owner', () => {
    expect(authenticate({ clientId: 'modem-1' }, open).outcome).toBe('notMine');
  });

  it('PL-13 on: a user name is still checked', () => {
    expect(codesOf(authenticate({ clientId: 'c', username: 'boiler', password: bytes('wrong') }, open))).toEqual([
      5, 0x86,
    ]);
    expect(authenticate({ clientId: 'c', username: 'nobody' }, open).outcome).toBe('notMine');
  });

  it('PL-14 no anonymous client ID reaches the Session of a device', () => {
    const theirs = principalOf({ clientId: 'c', username: 'boiler', password: right }).identity;
    expect(principalOf({ clientId: 'device-id/c' }, open).identity).not.toBe(theirs);
  });
});

describe('figures of the whole server', () => {
  it('PL-41 are for applications of the tenants that the server says, of every tenant if it says nothing', () => {
    const ask = (dialect: PlainDialect, configuration: ApplicationRef['configuration']) => {
      const principal = {
        ...principalOf({ clientId: 'c', username: 'app', password: right }, dialect),
        application: application(configuration),
      };
      const link = { level: 5, clientId: 'c', text: () => undefined } as const;
      const options = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
      return dialect.openSession(principal, link).subscribe('$SYS/#', options).reasonCode;
    };
    const sole = plain({ serverFigures: (tenantId) => tenantId === 'tenant' });
    const other = plain({ serverFigures: (tenantId) => tenantId !== 'tenant' });
    expect([plain(), sole, other].map((dialect) => ask(dialect, { sys: true }))).toEqual([0, 0, 0x87]);
    expect(ask(sole, {})).toBe(0x87);
  });
});
