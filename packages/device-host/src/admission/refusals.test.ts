import { type ConnectPacket, type ConnectVia, ReasonCode } from '@moorage/dialect-api';
import { describe, expect, it } from 'vitest';
import { refuseUnclaimed } from './refusals.ts';

const via: ConnectVia = {
  listener: 'mqtt',
  transport: 'tcp',
  pinnedDialect: null,
  serverName: null,
  clientCertificates: null,
};

function connect(clientId: string, username: string | null = null, password: string | null = null): ConnectPacket {
  return {
    type: 1,
    level: 4,
    clientId,
    cleanStart: true,
    keepAlive: 60,
    will: null,
    username,
    password: password === null ? null : new TextEncoder().encode(password),
    properties: null,
  };
}

describe('REC-27, REC-37 a CONNECT nobody claimed', () => {
  const rows: [string, ConnectPacket, number, number, string | null][] = [
    ['F2', connect('x', null, 'p'), 5, ReasonCode.BadUserNameOrPassword, null],
    ['F3', connect(''), 5, ReasonCode.NotAuthorized, null],
    ['F4', connect('0a1b2c3d'), 2, ReasonCode.ClientIdentifierNotValid, 'waveshare'],
    ['F4', connect('0A1B2C3D'), 2, ReasonCode.ClientIdentifierNotValid, 'thingsboard'],
    ['F5', connect('x', ''), 4, ReasonCode.BadUserNameOrPassword, 'thingsboard'],
    ['F6', connect('x', 'U12ab34', 'p'), 4, ReasonCode.BadUserNameOrPassword, 'thingscale'],
    ['F7', connect('app', 'app', 'p'), 5, ReasonCode.NotAuthorized, 'sensoro'],
    ['F7', connect('app/1', 'app', 'p'), 5, ReasonCode.NotAuthorized, 'sensoro'],
    ['F8', connect('x', 'dn&pk', 'p'), 5, ReasonCode.BadUserNameOrPassword, 'alibaba'],
    ['F8', connect('x', 'U12ab34'), 5, ReasonCode.BadUserNameOrPassword, 'thingsboard'],
    ['F8', connect('x', 'user', 'p'), 5, ReasonCode.BadUserNameOrPassword, 'plain'],
  ];
  for (const [row, packet, returnCode, reasonCode, looksLike] of rows) {
    it(`${row} C=${JSON.stringify(packet.clientId)} U=${JSON.stringify(packet.username)} P=${packet.password === null ? 'none' : 'sent'}`, () => {
      expect(refuseUnclaimed(packet, via)).toMatchObject({ row, returnCode, reasonCode, looksLike });
    });
  }

  it('F1 an unknown client certificate beats everything else', () => {
    const withCertificate = {
      ...via,
      clientCertificates: [{ text: 'AQ==', hash: '00', commonName: null, validFrom: 0, validTo: 1 }],
    };
    expect(refuseUnclaimed(connect('x', 'user', 'p'), withCertificate)).toMatchObject({
      row: 'F1',
      returnCode: 5,
      reasonCode: ReasonCode.NotAuthorized,
    });
  });
});
