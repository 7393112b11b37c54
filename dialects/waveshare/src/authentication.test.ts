import type { ApplicationRef } from '@moorage/core';
import type { ConnectPacket, Principal } from '@moorage/dialect-api';
import { connectPacket, connectVia } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { WaveshareDialect } from './dialect.ts';
import { accountOf, ESP32, MODEM, TENANT, type TestDevice, testRegistry } from './testing/test-registry.ts';

const PINNED = connectVia({ pinnedDialect: 'waveshare' });
const APP_ID = { 'an-app-id': { dialect: 'sensoro', credentials: [] } };
const LEVELS = [3, 4, 5] as const;
const bytes = (text: string) => new TextEncoder().encode(text);

function answerOf(
  connect: Partial<ConnectPacket>,
  devices: readonly TestDevice[] = [ESP32, MODEM],
  via = connectVia(),
  accounts: readonly ApplicationRef[] = [],
) {
  const registry = testRegistry(devices, accounts, APP_ID);
  const dialect = new WaveshareDialect({ credentials: registry, now: () => 0, sampleResource: false });
  return dialect.authenticate(connectPacket(connect), via, registry);
}

function principalOf(...input: Parameters<typeof answerOf>): Principal {
  const answer = answerOf(...input);
  if (answer.outcome !== 'accepted') throw new TypeError(answer.reason);
  return answer.principal;
}

/** `2 0x85` for a refusal, else the outcome. */
function fate(...input: Parameters<typeof answerOf>): string {
  const answer = answerOf(...input);
  return answer.outcome === 'refused' ? `${answer.returnCode} 0x${answer.reasonCode.toString(16)}` : answer.outcome;
}

describe('who a device is', () => {
  it('WS-1, WS-2, WS-3 by its client ID alone, on every version', () => {
    for (const level of LEVELS) {
      const principal = principalOf({ clientId: '82b52f8b', level });
      expect(principal).toMatchObject({ device: MODEM.device, tenantId: TENANT, account: TENANT });
      expect(principal.identity).toBe(`${MODEM.device.id}/82b52f8b`);
      expect(principal.assignedClientId).toBeNull();
    }
  });

  it('WS-5, REC-34 unknown or empty on a listener of its own: 2 or 0x85', () => {
    for (const clientId of ['', '00000000', 'a/b', '\u0000']) expect(fate({ clientId }, [], PINNED)).toBe('2 0x85');
  });

  it('unknown or empty elsewhere is for others to answer', () => {
    for (const clientId of ['', '00000000']) expect(fate({ clientId })).toBe('notMine');
  });

  it('WS-6 a disabled device: 5 or 0x87', () => {
    const off = { ...MODEM, enabled: 'false' };
    expect(fate({ clientId: '82b52f8b' }, [off])).toBe('5 0x87');
    expect(fate({ clientId: '82b52f8b' }, [off], PINNED)).toBe('5 0x87');
    expect(fate({ clientId: '82b52f8b' }, [{ ...MODEM, enabled: 'true' }])).toBe('accepted');
  });

  it('a device of a disabled account: 5 or 0x87, of its own or of the default one', () => {
    const named = accountOf({ id: 'account-1', enabled: false });
    const connect = { clientId: '82b52f8b' };
    expect(fate(connect, [{ ...MODEM, accountId: 'account-1' }], connectVia(), [named])).toBe('5 0x87');
    expect(fate(connect, [MODEM], connectVia(), [named])).toBe('accepted');
    const standard = accountOf({ id: 'account-2', enabled: false, configuration: { default: true } });
    expect(fate(connect, [MODEM], connectVia(), [standard])).toBe('5 0x87');
  });

  it('WS-7 client IDs are compared case-sensitively', () => {
    expect(fate({ clientId: '82B52F8B' })).toBe('notMine');
    expect(fate({ clientId: '82B52F8B' }, [MODEM], PINNED)).toBe('2 0x85');
  });

  it('WS-8 a password is asked for where one is set, and ignored elsewhere', () => {
    const hardened = { ...MODEM, password: 'secret' };
    const clientId = '82b52f8b';
    expect(fate({ clientId }, [hardened])).toBe('4 0x86');
    expect(fate({ clientId, username: '', password: bytes('Secret') }, [hardened])).toBe('4 0x86');
    expect(fate({ clientId, username: 'x', password: bytes('secret') }, [hardened])).toBe('accepted');
    expect(fate({ clientId, level: 5, password: bytes('secret') }, [hardened])).toBe('accepted');
    expect(fate({ clientId, username: 'x', password: bytes('whatever') }, [MODEM])).toBe('accepted');
  });

  it('REC-23, REC-26 any user name will do unless somebody else holds it', () => {
    const clientId = '82b52f8b';
    for (const username of [null, '', 'nobody']) expect(fate({ clientId, username })).toBe('accepted');
    expect(fate({ clientId, username: 'an-app-id' })).toBe('notMine');
    // R1: on a listener of our own user names mean nothing.
    expect(fate({ clientId, username: 'an-app-id' }, [MODEM], PINNED)).toBe('accepted');
  });

  it('is recognised by the form of the client ID', () => {
    const dialect = new WaveshareDialect({ credentials: testRegistry([]), now: () => 0, sampleResource: false });
    const recognised = (clientId: string) => dialect.recognise(connectPacket({ clientId }));
    expect([recognised('82b52f8b'), recognised('My_board-7'), recognised('a'.repeat(64))]).toEqual(
      Array(3).fill('maybe'),
    );
    expect([recognised(''), recognised('a|b'), recognised('a'.repeat(65))]).toEqual(Array(3).fill('no'));
  });

  it('is in the space of its account; that of the default account is the tenant’s', () => {
    const own = accountOf({ id: 'account-1' });
    const standard = accountOf({ id: 'account-2', configuration: { default: true } });
    const account = (accountId?: string) =>
      principalOf({ clientId: '82b52f8b' }, [accountId === undefined ? MODEM : { ...MODEM, accountId }], connectVia(), [
        own,
        standard,
      ]).account;
    expect(account()).toBe(TENANT);
    expect(account('account-1')).toBe('account-1');
    expect(account('account-2')).toBe(TENANT);
  });

  it('keeps Sessions 24 h with 1,000 messages, takes 100 subscriptions and packets of 256 KiB', () => {
    const { policy } = principalOf({ clientId: '82b52f8b' });
    expect(policy).toMatchObject({
      maximumGrantedQoS: 2,
      persistence: 'asRequested',
      maximumSessionExpiryInterval: 86_400,
      maximumSubscriptions: 100,
      maximumPacketSize: 262_144,
      probeAfter: 60,
      rates: [
        { messages: 100, seconds: 1 },
        { messages: 1200, seconds: 60 },
      ],
    });
    expect(policy.queue).toMatchObject({ messages: 1000, ageMs: 86_400_000 });
  });
});
