import { createHmac } from 'node:crypto';
import type { CredentialLookup, NameHolder } from '@moorage/core';
import type { ConnectPacket, ProtocolLevel } from '@moorage/dialect-api';
import { connectPacket, connectVia, credentialLookup, deviceLink } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { AlibabaDialect } from './dialect.ts';
import libraries from './fixtures/library-client-ids.json' with { type: 'json' };
import signatures from './fixtures/signatures.json' with { type: 'json' };
import type { Hmac, HmacAlgorithm } from './signature.ts';
import { DEVICE_NAME, holderOf, LAMP, noStore, PRODUCT_KEY, SECRET, USERNAME } from './testing/lamp.ts';
import { settled } from './testing/settled.ts';

const LEVELS: readonly ProtocolLevel[] = [3, 4, 5];
const hmac: Hmac = (algorithm, key, text) => createHmac(algorithm, key).update(text).digest('hex');
const dialect = new AlibabaDialect({ hmac, now: () => 1_700_000_000_000, store: noStore });
const bytes = (text: string) => new TextEncoder().encode(text);

const product = (_dialect: string, name: string) =>
  name === PRODUCT_KEY ? { profileId: LAMP.profileId, settings: LAMP.settings } : undefined;

const registry = (holders: Record<string, NameHolder> = { [USERNAME]: holderOf(SECRET) }): CredentialLookup => ({
  ...credentialLookup(holders),
  product,
});

/** A CONNECT of the lamp, signed with these parts unless others are said. */
function connect(
  base: string,
  parameters: string,
  password: string,
  fields: Partial<Omit<ConnectPacket, 'type'>> = {},
): ConnectPacket {
  return connectPacket({
    clientId: `${base}|${parameters}|`,
    username: USERNAME,
    password: bytes(password),
    keepAlive: 120,
    ...fields,
  });
}

function signed(algorithm: HmacAlgorithm, base: string, timestamp: string | null, secret = SECRET): string {
  const time = timestamp === null ? '' : `timestamp${timestamp}`;
  return hmac(algorithm, secret, `clientId${base}deviceName${DEVICE_NAME}productKey${PRODUCT_KEY}${time}`);
}

const authenticate = (packet: ConnectPacket, lookup = registry(), pinnedDialect: string | null = null) =>
  settled(dialect.authenticate(packet, connectVia({ pinnedDialect }), lookup));

/** `accepted`, `notMine`, or the codes of 3.x and 5.0. */
function outcome(packet: ConnectPacket, lookup = registry(), pinnedDialect: string | null = null): string {
  const answer = authenticate(packet, lookup, pinnedDialect);
  return answer.outcome === 'refused' ? `${answer.returnCode}/0x${answer.reasonCode.toString(16)}` : answer.outcome;
}

const GOOD = 'securemode=3,signmethod=hmacsha256';
const goodPassword = signed('sha256', 'x', null);
const good = (fields: Partial<Omit<ConnectPacket, 'type'>> = {}, parameters = GOOD) =>
  connect('x', parameters, goodPassword, fields);

describe('log-in', () => {
  it.each(signatures.vectors)('ALI-1 vector $name logs in with each of the three sign methods', (vector) => {
    const time = vector.timestamp === null ? '' : `,timestamp=${vector.timestamp}`;
    for (const method of ['hmacmd5', 'hmacsha1', 'hmacsha256'] as const) {
      for (const level of LEVELS) {
        const packet = connect(vector.base, `securemode=3,signmethod=${method}${time}`, vector[method], { level });
        expect(outcome(packet)).toBe('accepted');
      }
    }
  });

  it("reproduces the vendor's own published vector", () => {
    const identity = { device: { ...LAMP }, username: 'device&pk' };
    const lookup = registry({ 'device&pk': holderOf('secret', identity.device, 'device&pk') });
    const packet = connect(
      '12345',
      'securemode=3,signmethod=hmacsha1,timestamp=789',
      'FAFD82A3D602B37FB0FA8B7892F24A477F851A14',
      { username: 'device&pk' },
    );
    expect(outcome(packet, lookup)).toBe('accepted');
  });

  it('accepts the signature in upper and lower case', () => {
    expect(outcome(connect('x', GOOD, goodPassword.toUpperCase()))).toBe('accepted');
    expect(outcome(connect('x', GOOD, goodPassword))).toBe('accepted');
  });

  it('ALI-3 one changed character in base, names, time or secret is refused with 4', () => {
    const password = signed('sha256', 'base', '17');
    const parameters = `${GOOD},timestamp=17`;
    expect(outcome(connect('base', parameters, password))).toBe('accepted');
    const other = holderOf(SECRET, LAMP, 'lamp-02&a1b2C3d4E5f');
    const renamed = registry({ 'lamp-02&a1b2C3d4E5f': other, 'lamp-01&b1b2C3d4E5f': other });
    expect([
      outcome(connect('bose', parameters, password)),
      outcome(connect('base', `${GOOD},timestamp=18`, password)),
      outcome(connect('base', parameters, password), registry({ [USERNAME]: holderOf(`1${SECRET.slice(1)}`) })),
      outcome(connect('base', parameters, password, { username: 'lamp-02&a1b2C3d4E5f' }), renamed),
      outcome(connect('base', parameters, password, { username: 'lamp-01&b1b2C3d4E5f' }), renamed),
    ]).toEqual(Array(5).fill('4/0x86'));
  });

  it('ALI-4 a time that was not sent is not signed', () => {
    expect(outcome(connect('x', GOOD, signed('sha256', 'x', null)))).toBe('accepted');
    expect(outcome(connect('x', GOOD, signed('sha256', 'x', '2524608000000')))).toBe('4/0x86');
  });

  it('ALI-5 without a sign method it is HMAC-MD5', () => {
    expect(outcome(connect('x', 'securemode=3', signed('md5', 'x', null)))).toBe('accepted');
    expect(outcome(connect('x', 'securemode=3', signed('sha256', 'x', null)))).toBe('4/0x86');
  });

  it('ALI-6 takes parameters in any order, unknown ones, and a comma at the end', () => {
    for (const parameters of [
      'signmethod=hmacsha256,securemode=3',
      `mystery=1,${GOOD},partner=a=b`,
      `${GOOD},`,
      `,,${GOOD}`,
      `${GOOD.replace('hmacsha256', 'HmacSHA256')},flag`,
    ]) {
      expect(outcome(connect('x', parameters, goodPassword))).toBe('accepted');
    }
  });

  it('ALI-7 the base may be empty and has nothing to do with the names', () => {
    for (const base of ['', '00:11:22:33:44:55', 'another.device']) {
      expect(outcome(connect(base, GOOD, signed('sha256', base, null)))).toBe('accepted');
    }
  });

  it('ALI-8 a value may hold bars: the first and the last one delimit', () => {
    const parameters = `${GOOD},lan=JS|Ali,_v=1`;
    expect(outcome(connect('x', parameters, goodPassword))).toBe('accepted');
    const session = open(connect('x', parameters, goodPassword));
    expect(JSON.stringify(session.openingIntents)).toContain('JS|Ali');
  });

  it('ALI-10 a Client Identifier of 200 characters', () => {
    for (const level of LEVELS) {
      const packet = good({ level }, `${GOOD},padding=${'p'.repeat(200 - GOOD.length - 'x||,padding='.length)}`);
      expect(packet.clientId).toHaveLength(200);
      expect(outcome(packet)).toBe('accepted');
    }
    expect(outcome(good({}, `${GOOD},padding=${'p'.repeat(600)}`))).toBe('2/0x85');
  });

  it('a keep-alive of 0 and 29 s is refused with 2; 30, 1200 and 1201 s are accepted', () => {
    const withKeepAlive = (keepAlive: number) => outcome(good({ keepAlive }));
    expect([0, 29].map(withKeepAlive)).toEqual(['2/0x83', '2/0x83']);
    expect([30, 1200, 1201].map(withKeepAlive)).toEqual(['accepted', 'accepted', 'accepted']);
    const answer = authenticate(good({ keepAlive: 1201 }));
    expect(answer).toMatchObject({ principal: { policy: { serverKeepAlive: 1200 } } });
  });

  it('refuses unknown products and devices, and one without a secret, with 5', () => {
    expect([
      outcome(good({ username: 'lamp-01&unknown' })),
      outcome(good({ username: 'unknown&a1b2C3d4E5f' })),
      outcome(good(), registry({ [USERNAME]: holderOf(null) })),
      outcome(good(), registry({ [USERNAME]: { ...holderOf(SECRET), dialect: 'plain' } })),
    ]).toEqual(Array(4).fill('5/0x87'));
  });

  it.each(['lamp-01', '', '&a1b2C3d4E5f', 'lamp-01&', 'lamp/1&a1b2C3d4E5f', 'lamp-01&a1b2-C3d'])(
    'ALI-13 the user name %j, which is not deviceName&productKey, is refused with 4',
    (username) => {
      expect(outcome(good({ username }))).toBe('4/0x86');
    },
  );

  it.each(['securemode=8', 'securemode=7', 'securemode=', 'signmethod=hmacsha512', 'authType=unknown'])(
    'what is not offered is refused with 2: %s',
    (parameter) => {
      expect(outcome(connect('x', parameter, goodPassword))).toBe('2/0x85');
    },
  );

  it('a refused signature is explained with the text that the server signed, never with a secret', () => {
    const wrong = connect('x', `${GOOD},timestamp=17`, goodPassword);
    expect(authenticate(wrong)).toMatchObject({
      reason: expect.stringContaining('"clientIdxdeviceNamelamp-01productKeya1b2C3d4E5ftimestamp17" with HMAC-SHA256'),
    });
    const shown = JSON.stringify(authenticate(wrong));
    for (const secret of [SECRET, goodPassword, signed('sha256', 'x', '17')]) expect(shown).not.toContain(secret);
  });
});

const open = (packet: ConnectPacket, by = dialect) => {
  const answer = settled(by.authenticate(packet, connectVia(), registry()));
  if (answer.outcome !== 'accepted') throw new TypeError(answer.reason);
  return by.openSession(answer.principal, deviceLink(packet.level, packet.clientId));
};

describe('the principal', () => {
  it('is one identity whatever the Client Identifier is, and begins with the device', () => {
    const packets = [good(), connect('y', `${GOOD},timestamp=5`, signed('sha256', 'y', '5'))];
    const identities = packets.map((packet) => {
      const answer = authenticate(packet);
      return answer.outcome === 'accepted' ? answer.principal.identity : null;
    });
    expect(identities).toEqual(Array(2).fill(`${LAMP.id}/${USERNAME}`));
  });

  it('Wills and retained messages have no effect on 3.x; Sessions last a week', () => {
    for (const level of LEVELS) {
      const kept = level === 5 ? 'honoured' : 'ignored';
      expect(authenticate(good({ level }))).toMatchObject({
        principal: {
          account: '',
          policy: { will: kept, retained: kept, persistence: 'asRequested', maximumSessionExpiryInterval: 604_800 },
        },
      });
    }
  });
});

describe.each(libraries.libraries)(
  '$name',
  ({ parameters, timestamp, cleanStart, keepAlive, upperCase, ...library }) => {
    const algorithm = parameters.includes('hmacsha1,') ? 'sha1' : 'sha256';
    const base = `${PRODUCT_KEY}.${DEVICE_NAME}`;
    const password = signed(algorithm, base, timestamp);
    const packet = connect(base, parameters, upperCase ? password.toUpperCase() : password, { cleanStart, keepAlive });

    it('connects as it stands', () => {
      expect(dialect.recognise(packet)).toBe('yes');
      expect(outcome(packet)).toBe('accepted');
    });

    it('ALI-18 its version and language become client attributes, once', () => {
      const fresh = new AlibabaDialect({ hmac, now: () => 5, store: noStore });
      const { openingIntents = [] } = open(packet, fresh);
      const [intent] = openingIntents;
      if (intent?.kind !== 'attributes') throw new TypeError('no attributes');
      const { keys, values } = intent.values;
      expect(Object.fromEntries(keys.map((key, index) => [key, values[index]]))).toEqual(library.attributes);
      expect(intent.scope).toBe('CLIENT');
      expect(open(packet, fresh).openingIntents).toMatchObject([{ kind: 'dialectRequest', request: 'ota/pending' }]);
    });

    it(`hears topics of the system ${library.automatic ? 'unasked' : 'when it asked for them'}`, () => {
      const session = open(packet);
      expect(session.listensAtOnce).toBe(library.automatic);
      const command = { kind: 'rpc', id: '1', method: 'thing.service.property.set', params: '{"a":1}' } as const;
      expect(session.command(command) === 'notSubscribed').toBe(!library.automatic);
    });
  },
);

describe('recognition', () => {
  const other: NameHolder = { dialect: 'thingsboard', credentials: [] };

  it('says yes by form, maybe for a user name with &, no else', () => {
    const recognise = (clientId: string, username: string | null) =>
      dialect.recognise(connectPacket({ clientId, username }));
    for (const parameter of ['securemode=2', 'signmethod=hmacmd5', 'authType=register']) {
      expect(recognise(`x|${parameter}|`, null)).toBe('yes');
      expect(recognise(`|a=1,${parameter}|`, 'any')).toBe('yes');
    }
    for (const clientId of ['a|b', 'x|y=1|', '|', '', 'x|securemode=3', 'securemode=3|', 'x|securemode|']) {
      expect(recognise(clientId, 'token')).toBe('no');
      expect(recognise(clientId, 'dn&pk')).toBe('maybe');
    }
  });

  it('REC-9 the Link form decides even against a registered name of another dialect', () => {
    expect(outcome(good({ username: 'token' }), registry({ token: other }))).toBe('4/0x86');
  });

  it('REC-10 bars without a Link parameter are not ours', () => {
    for (const clientId of ['x|y=1|', 'a|b']) {
      expect(dialect.recognise(connectPacket({ clientId, username: 'token' }))).toBe('no');
      expect(outcome(connectPacket({ clientId, username: 'token' }), registry({ token: other }))).toBe('notMine');
    }
  });

  it('ALI-9 REC-11 a device of a registered product without bars, or bars not closed, is refused with 2', () => {
    for (const clientId of ['lamp', 'lamp|securemode=3', 'lamp|securemode=3|x', '']) {
      for (const username of [USERNAME, 'unknown&a1b2C3d4E5f']) {
        expect(outcome(connectPacket({ clientId, username }))).toBe('2/0x85');
      }
    }
  });

  it('REC-12 an unknown product: ours to refuse with 5 in Link form, not ours without bars', () => {
    expect(outcome(good({ username: 'dn&pk' }))).toBe('5/0x87');
    expect(outcome(connectPacket({ clientId: 'lamp', username: 'dn&pk' }))).toBe('notMine');
  });

  it('REC-13 Link form and a user name without & is refused with 4', () => {
    expect(outcome(connect('x', 'securemode=3', goodPassword, { username: 'lamp' }))).toBe('4/0x86');
  });

  it('REC-14 a name of another dialect that ends in & and a registered product is not ours', () => {
    const username = 'token&a1b2C3d4E5f';
    expect(outcome(connectPacket({ clientId: 'x', username }), registry({ [username]: other }))).toBe('notMine');
  });

  it('on a listener of its own everything is decided here', () => {
    const decided = (clientId: string, username: string | null, password: string | null = null) =>
      outcome(
        connectPacket({ clientId, username, password: password === null ? null : bytes(password) }),
        registry({ token: other }),
        'alibaba',
      );
    expect(decided('', null)).toBe('2/0x85');
    expect(decided('x', 'token')).toBe('2/0x85');
    expect(decided('x|timestamp=5|', 'token')).toBe('4/0x86');
    expect(decided('x|timestamp=5|', 'dn&pk')).toBe('5/0x87');
  });
});
