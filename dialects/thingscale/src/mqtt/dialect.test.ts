import { type ConnectPacket, ReasonCode } from '@moorage/dialect-api';
import { connectPacket, connectVia } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { ACCOUNT, API_TOKEN, account, Bench, TENANT, TOKEN, USER } from '../testing/bench.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const connect = (fields: Partial<Omit<ConnectPacket, 'type'>> = {}) =>
  connectPacket({ clientId: 'c', username: USER, password: bytes(TOKEN), ...fields });

function answer(bench: Bench, packet: ConnectPacket, pinnedDialect: string | null = null) {
  const authentication = bench.dialect.authenticate(packet, connectVia({ pinnedDialect }), bench.credentials);
  if (authentication.outcome !== 'refused') return authentication.outcome;
  return `${authentication.returnCode} 0x${authentication.reasonCode.toString(16)}`;
}

function principalOf(bench: Bench, packet: ConnectPacket) {
  const authentication = bench.dialect.authenticate(packet, connectVia(), bench.credentials);
  if (authentication.outcome !== 'accepted') throw new TypeError(authentication.reason);
  return authentication.principal;
}

describe('recognition', () => {
  it('R5 asks for the form of a ThingScale ID', () => {
    const { dialect } = new Bench();
    for (const username of ['U000123', 'UabcXYZ']) expect(dialect.recognise(connect({ username }))).toBe('maybe');
    for (const username of [null, '', 'u000123', 'U00012', 'U0001234', 'U00012-']) {
      expect(dialect.recognise(connect({ username }))).toBe('no');
    }
  });

  it('R1 on its own listener refuses whoever it does not know', () => {
    expect(answer(new Bench(), connect({ username: 'U999999' }))).toBe('notMine');
    expect(answer(new Bench(), connect({ username: 'U999999' }), 'thingscale')).toBe('4 0x86');
    expect(answer(new Bench(), connect({ username: null, password: null }), 'thingscale')).toBe('4 0x86');
    // The name need not look like a ThingScale ID, if an account has it.
    const bench = new Bench([account({}, {}, { username: 'imported' })]);
    expect(answer(bench, connect({ username: 'imported' }), 'thingscale')).toBe('accepted');
  });
});

describe('the device token', () => {
  it('TS-1 lets in on 3.1, 3.1.1 and 5.0, in any case', () => {
    for (const level of [3, 4, 5] as const) expect(answer(new Bench(), connect({ level }))).toBe('accepted');
    expect(answer(new Bench(), connect({ password: bytes(TOKEN.toLowerCase()) }))).toBe('accepted');
    expect(
      answer(new Bench([account({}, { deviceToken: 'MixedCase1' })]), connect({ password: bytes('mIXEDcASE1') })),
    ).toBe('accepted');
  });

  it('TS-2 may be as short as an imported one is', () => {
    expect(
      answer(new Bench([account({}, { deviceToken: 'tok' })]), connect({ clientId: '', password: bytes('tok') })),
    ).toBe('accepted');
  });

  it('TS-7 is refused with 4 where it is wrong, and with 5 where the account is disabled', () => {
    for (const password of [null, bytes(''), bytes('x'), bytes(`${TOKEN}0`), bytes(TOKEN.slice(1))]) {
      expect(answer(new Bench(), connect({ password }))).toBe('4 0x86');
    }
    const off = new Bench([account({}, {}, { enabled: false })]);
    expect(answer(off, connect())).toBe('5 0x87');
    expect(answer(off, connect({ password: bytes('x') }))).toBe('4 0x86');
  });

  it('TS-8 is not the API token', () => {
    expect(answer(new Bench(), connect({ password: bytes(API_TOKEN) }))).toBe('4 0x86');
  });

  it('that was replaced is good as long as it is said to be', () => {
    const bench = new Bench();
    const until = bench.now() + 60_000;
    bench.save(
      account({}, { deviceToken: 'NEW', previousDeviceToken: TOKEN, previousDeviceTokenValidUntil: String(until) }),
    );
    expect(answer(bench, connect())).toBe('accepted');
    expect(answer(bench, connect({ password: bytes('new') }))).toBe('accepted');
    bench.time.advance(60_000);
    expect(answer(bench, connect())).toBe('4 0x86');
    expect(answer(bench, connect({ password: bytes('new') }))).toBe('accepted');
  });
});

describe('the client ID', () => {
  it('TS-3 TS-4 TS-6 may be empty with a clean session, and gets one made by the server', () => {
    const bench = new Bench();
    for (const level of [3, 4, 5] as const) {
      const { assignedClientId, identity } = principalOf(bench, connect({ level, clientId: '' }));
      expect(assignedClientId).toMatch(/^auto-[\da-f]{16}$/);
      expect(identity).toBe(`${ACCOUNT}/${assignedClientId}`);
    }
    expect(answer(bench, connect({ clientId: '', cleanStart: false }))).toBe('2 0x85');
    expect(answer(bench, connect({ clientId: '', cleanStart: false, level: 3 }))).toBe('2 0x85');
    expect(answer(bench, connect({ clientId: '', cleanStart: false, level: 5 }))).toBe('accepted');
  });

  it('TS-5 may have any length up to 256 bytes', () => {
    const bench = new Bench();
    for (const level of [3, 4] as const) {
      expect(answer(bench, connect({ level, clientId: 'mosqsub/14968-stg.testclient' }))).toBe('accepted');
    }
    expect(answer(bench, connect({ clientId: 'é'.repeat(128) }))).toBe('accepted');
    expect(answer(bench, connect({ clientId: 'é'.repeat(129) }))).toBe('2 0x85');
  });

  it('TS-9 is one of its account: equal ones of two accounts are two identities', () => {
    const other = account(
      {},
      { deviceToken: 'other' },
      { id: '5a8a8d3e-0000-4000-8000-00000000000b', username: 'U000124' },
    );
    const bench = new Bench([account(), other]);
    const mine = principalOf(bench, connect());
    const theirs = principalOf(bench, connect({ username: 'U000124', password: bytes('OTHER') }));
    expect(mine.identity).toBe(`${ACCOUNT}/c`);
    expect(theirs.identity).not.toBe(mine.identity);
    expect(mine).toMatchObject({ tenantId: TENANT, account: ACCOUNT, device: null, application: { id: ACCOUNT } });
  });
});

describe('what is known of a connection', () => {
  it('TS-47 is what its CONNECT asked for', () => {
    const bench = new Bench();
    const principal = principalOf(bench, connect({ cleanStart: false, keepAlive: 30 }));
    expect(bench.dialect.settingsOf(principal)).toEqual({ cleanStart: false, keepAlive: 30 });
    expect(bench.dialect.settingsOf({ ...principal })).toEqual({ cleanStart: true, keepAlive: 0 });
  });
});

describe('the policy', () => {
  it('keeps Sessions for a day with 1,000 messages, and takes packets of 256 KiB', () => {
    const { policy } = principalOf(new Bench(), connect());
    expect(policy).toMatchObject({
      maximumGrantedQoS: 2,
      maximumSessionExpiryInterval: 86_400,
      maximumPacketSize: 262_144,
      will: 'honoured',
      retained: 'honoured',
      queue: { messages: 1_000, ageMs: 86_400_000 },
    });
    expect(ReasonCode.NotAuthorized).toBe(0x87);
  });
});
