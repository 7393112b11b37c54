import type { ClientCertificate, ConnectCredential, CredentialLookup, DeviceRef } from '@moorage/core';
import type { Authentication, ConnectPacket } from '@moorage/dialect-api';
import { clientCertificate, connectPacket, connectVia, credentialLookup, deviceRef } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { ThingsboardDialect } from './dialect.ts';

const NOW = 1_700_000_000_000;
const dialect = new ThingsboardDialect({ now: () => NOW });

function credential(device: DeviceRef, token: string | null = null): ConnectCredential {
  const credentialsType = token === null ? 'X509_CERTIFICATE' : 'ACCESS_TOKEN';
  return { credentialsType, device, application: null, username: token, clientId: null, password: null };
}

const asked: (readonly ClientCertificate[])[] = [];
const outcomes: Record<string, Awaited<ReturnType<CredentialLookup['deviceOfChain']>>> = {
  'trusted-ca': { outcome: 'found', device: deviceRef({ name: 'of-chain' }) },
  'closed-ca': { outcome: 'refused', reason: 'The profile creates no devices.' },
  'broken-ca': { outcome: 'failed' },
};
const registry = credentialLookup(
  {
    TOKEN: { dialect: 'thingsboard', credentials: [credential(deviceRef({ name: 'of-token' }), 'TOKEN')] },
    U123456: { dialect: 'thingscale', credentials: [] },
  },
  {},
  {
    credentials: {
      leaf: credential(deviceRef({ name: 'of-leaf' })),
      old: credential(deviceRef({ name: 'of-old' })),
      coap: credential(deviceRef({ name: 'of-coap' }, { transportType: 'COAP' })),
    },
    profiles: Object.keys(outcomes),
    deviceOfChain: async (chain) => {
      asked.push(chain);
      return outcomes[chain.at(-1)?.hash ?? ''] ?? { outcome: 'failed' };
    },
  },
);

async function shown(
  chain: readonly ClientCertificate[],
  connect: Partial<ConnectPacket> = {},
  pinnedDialect: string | null = null,
  by = dialect,
): Promise<string> {
  const via = connectVia({ transport: 'tls', clientCertificates: chain, pinnedDialect });
  return outcome(await by.authenticate(connectPacket({ level: 5, ...connect }), via, registry));
}

function outcome(answer: Authentication): string {
  if (answer.outcome === 'accepted') return answer.principal.device?.name ?? 'provisioning';
  return answer.outcome === 'notMine' ? 'notMine' : `${answer.returnCode} / 0x${answer.reasonCode.toString(16)}`;
}

const leaf = clientCertificate('leaf');
const stranger = clientCertificate('stranger', { commonName: 'pump 7' });

describe('client certificates', () => {
  it('TB-8 a certificate that a device has as its credential lets it in without user name; an unknown one is 5 / 0x87', async () => {
    expect(await shown([leaf])).toBe('of-leaf');
    expect(await shown([leaf], {}, 'thingsboard')).toBe('of-leaf');
    expect(await shown([stranger], {}, 'thingsboard')).toBe('5 / 0x87');
    expect(await shown([stranger])).toBe('notMine');
  });

  it('REC-7 a known certificate wins over user name and password, whoever they belong to', async () => {
    for (const pinned of [null, 'thingsboard']) {
      expect(await shown([leaf], { username: 'TOKEN' }, pinned)).toBe('of-leaf');
      expect(await shown([leaf], { username: 'U123456', password: Uint8Array.of(1) }, pinned)).toBe('of-leaf');
      expect(await shown([leaf], { username: 'provision' }, pinned)).toBe('provisioning');
    }
    expect(await shown([leaf], { clientId: 'provision' })).toBe('of-leaf');
    expect(await shown([leaf], { clientId: 'provision' }, 'thingsboard')).toBe('provisioning');
  });

  it('REC-8 beside an unknown certificate a token is refused with 5 / 0x87 and other names are left alone', async () => {
    for (const pinned of [null, 'thingsboard']) {
      expect(await shown([stranger], { username: 'TOKEN' }, pinned)).toBe('5 / 0x87');
    }
    expect(await shown([stranger], { username: 'U123456' })).toBe('notMine');
  });

  it('TB-9 a certificate that is expired, or not valid yet, is refused with 5 / 0x87', async () => {
    const validity = { validFrom: NOW - 2, validTo: NOW };
    expect(await shown([clientCertificate('old', validity)])).toBe('of-old');
    expect(await shown([clientCertificate('old', { ...validity, validTo: NOW - 1 })])).toBe('5 / 0x87');
    expect(await shown([clientCertificate('old', { ...validity, validFrom: NOW + 1, validTo: NOW + 2 })])).toBe(
      '5 / 0x87',
    );
  });

  it('without a clock no certificate is accepted', async () => {
    expect(await shown([leaf], {}, null, new ThingsboardDialect())).toBe('5 / 0x87');
  });

  it('TB-10 without certificate a token works over TLS', async () => {
    const via = connectVia({ transport: 'tls' });
    expect(outcome(await dialect.authenticate(connectPacket({ username: 'TOKEN' }), via, registry))).toBe('of-token');
  });

  it('a profile that is bound to another transport refuses the certificate too', async () => {
    expect(await shown([clientCertificate('coap')])).toBe('3 / 0x88');
  });

  it('a chain whose issuer a profile trusts is the device that the registry finds or makes', async () => {
    const chain = [stranger, clientCertificate('middle'), clientCertificate('trusted-ca')];
    expect(await shown(chain)).toBe('of-chain');
    expect(asked.at(-1)).toEqual(chain);
    expect(await shown([stranger, clientCertificate('closed-ca')])).toBe('5 / 0x87');
    expect(await shown([stranger, clientCertificate('broken-ca')])).toBe('3 / 0x88');
  });

  it('every certificate up to the trusted issuer must be valid', async () => {
    const before = asked.length;
    const expired = { validTo: NOW - 1 };
    expect(await shown([clientCertificate('stranger', expired), clientCertificate('trusted-ca')])).toBe('5 / 0x87');
    expect(await shown([stranger, clientCertificate('trusted-ca', expired)])).toBe('5 / 0x87');
    expect(asked).toHaveLength(before);
    const root = clientCertificate('root', expired);
    expect(await shown([stranger, clientCertificate('trusted-ca'), root])).toBe('3 / 0x88');
    expect(asked).toHaveLength(before + 1);
  });

  it("a device's own certificate is tried before its issuers, and only the leaf is a device's", async () => {
    expect(await shown([leaf, clientCertificate('closed-ca')])).toBe('of-leaf');
    expect(await shown([stranger, leaf], {}, 'thingsboard')).toBe('5 / 0x87');
  });
});
