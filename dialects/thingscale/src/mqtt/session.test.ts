import { ReasonCode } from '@moorage/dialect-api';
import { dialectMessage, fateOf } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { ACCOUNT, account, Bench, TOKEN } from '../testing/bench.ts';

const OTHER = '5a8a8d3e-0000-4000-8000-00000000000b';
const OPTIONS = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;

const refused = async (bench: Bench) =>
  (await bench.data()).refused().map(({ code, topicName, clientId }) => `${code} ${topicName} ${clientId}`);

describe('publishing', () => {
  it('TS-12 TS-17 stores what the payload says by the kind of the topic', async () => {
    const bench = new Bench();
    const client = bench.connect();
    for (const payload of ['23.5', '"Hello!"', 'Hello!']) await bench.send(client, `${TOKEN}/json/dev01`, payload);
    await bench.send(client, `${TOKEN}/dev02`, 'v=23.5&v2=51');
    expect(await bench.values(0)).toEqual(['{"value1":23.5}', '{"value1":"Hello!"}', '{"value1":"Hello!"}']);
    expect(await bench.values(1)).toEqual(['{"value1":23.5,"value2":51}']);
  });

  it('TS-13 an empty level behind the device is no tag', async () => {
    const bench = new Bench();
    const client = bench.connect();
    await bench.send(client, `${TOKEN}/json/dev01/node1`, '1');
    await bench.send(client, `${TOKEN}/json/dev01/`, '2');
    expect(await bench.values(0, 'node1')).toEqual(['{"value1":1}']);
    expect(await bench.values(0, null)).toEqual(['{"value1":2}']);
  });

  it('TS-14 TS-15 binary payloads come back as hex, under both names of the topic', async () => {
    const bench = new Bench();
    const client = bench.connect();
    const all = Uint8Array.from({ length: 256 }, (_, index) => index);
    await bench.send(client, `${TOKEN}/binary/dev01`, all);
    await bench.send(client, `${TOKEN}/bin/dev01`, all);
    const text = `{"value1":"${Buffer.from(all).toString('hex')}"}`;
    expect(await bench.values(0)).toEqual([text, text]);
  });

  it('TS-18 the state topic sets the state of a device and makes no point', async () => {
    const bench = new Bench();
    const client = bench.connect();
    await bench.send(client, `${TOKEN}/json/dev01`, '1');
    expect(await bench.send(client, `${TOKEN}/state/dev01`, 'health=OK&load=5.9')).toBe('stored');
    expect((await bench.data()).device('dev01')?.state).toMatchObject({ health: 'OK', load: 5.9 });
    expect(await bench.values(0)).toHaveLength(1);
    await bench.send(client, `${TOKEN}/state/dev02`, 'health=OK');
    expect(await refused(bench)).toEqual(['NO_MAPPED_CH 0123…/state/dev02 c']);
  });

  it('TS-20 a command for a device is routed and makes neither a device nor a point', async () => {
    const bench = new Bench();
    const { session } = bench.connect();
    const disposition = session.publish(dialectMessage(`${TOKEN}/dev01/subscribe`, 'led:on'));
    expect(disposition).toEqual({ route: true, routeAs: '~/dev01/subscribe', intents: [], refuse: null, close: null });
    expect((await bench.data()).devices()).toEqual([]);
    expect(await refused(bench)).toEqual([]);
  });

  it('TS-21 the device 0, and what is no data, is routed, listed and not stored', async () => {
    const bench = new Bench();
    const client = bench.connect();
    for (const rest of ['/json/0', '/json', '', '/a/b/c', '/json/dev01', '/binary/dev01']) {
      const disposition = client.session.publish(dialectMessage(TOKEN + rest, ''));
      expect(disposition).toMatchObject({ route: true, routeAs: `~${rest}`, intents: [] });
    }
    client.session.publish(dialectMessage(`${TOKEN}/json/dev01`, 'x'.repeat(65_537)));
    client.session.publish(dialectMessage(`${TOKEN}/json/dev01`, '['.repeat(100)));
    expect(await refused(bench)).toEqual(
      [
        'DEVICE_ID_ZERO 0123…/json/0 c',
        'TOPIC_NOT_DATA 0123…/json c',
        'TOPIC_NOT_DATA 0123… c',
        'TOPIC_NOT_DATA 0123…/a/b/c c',
        'EMPTY_PAYLOAD 0123…/json/dev01 c',
        'EMPTY_PAYLOAD 0123…/binary/dev01 c',
        'PAYLOAD_TOO_LARGE 0123…/json/dev01 c',
        'PAYLOAD_TOO_DEEP 0123…/json/dev01 c',
      ].reverse(),
    );
    expect(bench.creations).toEqual([]);
  });

  it('TS-22 TS-23 TS-24 a token that is not the account’s is refused with 0x87, listed, and not routed', async () => {
    const bench = new Bench([account(), account({}, { deviceToken: 'OTHER' }, { id: OTHER, username: 'U000124' })]);
    for (const level of [3, 4, 5] as const) {
      const { session } = bench.connect(level);
      for (const token of ['wrong', 'OTHER', '', '+', TOKEN.slice(1), '~']) {
        const disposition = session.publish(dialectMessage(`${token}/json/dev01`, '1'));
        expect(fateOf(disposition)).toBe('refused 0x87');
        expect(disposition.route).toBe(false);
      }
    }
    expect((await refused(bench))[4]).toBe('TOKEN_MISMATCH OTHE…/json/dev01 c');
    expect(bench.creations).toEqual([]);
  });

  it('TS-19 TS-38 what is not stored is acknowledged and listed', async () => {
    const bench = new Bench([account({ autoMap: false, maxDevices: 1 })]);
    const client = bench.connect();
    expect(await bench.send(client, `${TOKEN}/json/dev01`, '1')).toBe('stored');
    expect(await bench.send(client, `${TOKEN}/json/dev02`, '1')).toBe('stored');
    await (await bench.data()).updateDevice('dev01', { enabled: false });
    expect(await bench.send(client, `${TOKEN}/json/dev01`, '1')).toBe('stored');
    expect(await refused(bench)).toEqual([
      'DEVICE_DISABLED 0123…/json/dev01 c',
      'MAX_DEVICE_REACH 0123…/json/dev02 c',
      'NO_MAPPED_CH 0123…/json/dev01 c',
    ]);
  });

  it('is not acknowledged while a store has not taken it', async () => {
    const bench = new Bench();
    const client = bench.connect();
    await bench.send(client, `${TOKEN}/json/dev01`, '1');
    bench.submitOutcomes.push('full', 'failed');
    expect(await bench.send(client, `${TOKEN}/json/dev01`, '2')).toBe('full');
    expect(await bench.send(client, `${TOKEN}/json/dev01`, '3')).toBe('failed');
  });

  it('keeps the order of a connection from its first message on', async () => {
    const bench = new Bench();
    const client = bench.connect();
    const sent = Array.from({ length: 100 }, (_, index) => bench.send(client, `${TOKEN}/json/dev01`, String(index)));
    expect(new Set(await Promise.all(sent))).toEqual(new Set(['stored']));
    expect(await bench.values(0)).toEqual(sent.map((_, index) => `{"value1":${index}}`));
  });

  it('writes what comes together in few batches', async () => {
    const bench = new Bench();
    const client = bench.connect();
    for (let device = 0; device < 20; device++) await bench.send(client, `${TOKEN}/json/dev${device}`, '0');
    let batches = 0;
    const { append } = bench.telemetry;
    bench.telemetry.append = (batch) => {
      batches++;
      return append.call(bench.telemetry, batch);
    };
    const sent = Array.from({ length: 1000 }, (_, index) => bench.send(client, `${TOKEN}/json/dev${index % 20}`, '1'));
    await Promise.all(sent);
    expect(batches).toBeLessThan(50);
  });

  it('ends with the account', async () => {
    const bench = new Bench();
    const client = bench.connect();
    const disposition = client.session.publish(dialectMessage(`${TOKEN}/json/dev01`, '1'));
    bench.accountList.length = 0;
    const released: string[] = [];
    for (const intent of disposition.intents) {
      if (intent.kind !== 'dialectWork') continue;
      bench.dialect.work(client.principal, intent.work, {
        hold() {},
        release: (outcome) => void released.push(outcome),
      });
    }
    expect(released).toEqual(['failed']);
    expect(fateOf(client.session.publish(dialectMessage(`${TOKEN}/json/dev01`, '1')))).toBe('refused 0x87');
  });
});

describe('subscribing', () => {
  it('TS-25 TS-26 is granted below the token alone', () => {
    const { session } = new Bench().connect();
    for (const [filter, entered] of [
      [`${TOKEN}/#`, '~/#'],
      [`${TOKEN}/+/subscribe`, '~/+/subscribe'],
      [`${TOKEN.toLowerCase()}/dev01/subscribe`, '~/dev01/subscribe'],
      [`$share/g/${TOKEN}/json/#`, '$share/g/~/json/#'],
    ] as const) {
      expect(session.subscribe(filter, OPTIONS)).toEqual({ reasonCode: 1, enter: [entered] });
    }
    for (const filter of ['#', '+/dev01/subscribe', 'OTHER/#', '~/#', '$share/g/#', '$share/g/OTHER/#', '/#']) {
      expect(session.subscribe(filter, OPTIONS)).toEqual({ reasonCode: ReasonCode.NotAuthorized, enter: [] });
    }
  });

  it('TS-27 shows the token as the filter that matches wrote it', () => {
    const bench = new Bench();
    const { session } = bench.connect();
    expect(session.deliveredAs?.('~/json/dev01')).toBe(`${TOKEN}/json/dev01`);
    session.subscribe(`${TOKEN.toLowerCase()}/+/subscribe`, OPTIONS);
    expect(session.deliveredAs?.('~/dev01/subscribe')).toBe(`${TOKEN.toLowerCase()}/dev01/subscribe`);
    session.subscribe(`${TOKEN}/#`, OPTIONS);
    expect(session.deliveredAs?.('~/dev01/subscribe')).toBe(`${TOKEN.toLowerCase()}/dev01/subscribe`);
    expect(session.deliveredAs?.('~/json/dev01')).toBe(`${TOKEN}/json/dev01`);
    session.unsubscribe(`${TOKEN.toLowerCase()}/+/subscribe`);
    expect(session.deliveredAs?.('~/dev01/subscribe')).toBe(`${TOKEN}/dev01/subscribe`);
    expect(session.mayReceive('~/json/dev01')).toBe(true);
    expect(session.mayReceive('other/json/dev01')).toBe(false);
  });

  it('old and new tokens meet while both are good, on connections that stay', () => {
    const bench = new Bench();
    const { session } = bench.connect();
    session.subscribe(`${TOKEN}/dev01/subscribe`, OPTIONS);
    const until = bench.now() + 1000;
    bench.save(
      account({}, { deviceToken: 'NEW', previousDeviceToken: TOKEN, previousDeviceTokenValidUntil: String(until) }),
    );
    for (const token of [TOKEN, 'NEW', 'new']) {
      expect(session.publish(dialectMessage(`${token}/dev01/subscribe`, 'x')).routeAs).toBe('~/dev01/subscribe');
    }
    expect(session.deliveredAs?.('~/dev01/subscribe')).toBe(`${TOKEN}/dev01/subscribe`);
    bench.time.advance(1000);
    expect(fateOf(session.publish(dialectMessage(`${TOKEN}/dev01/subscribe`, 'x')))).toBe('refused 0x87');
    expect(fateOf(session.publish(dialectMessage('NEW/dev01/subscribe', 'x')))).toBe('acknowledged');
  });
});

describe('wills', () => {
  it('TS-29 TS-30 are messages like any other when they are due, and refused where the token is wrong then', async () => {
    const bench = new Bench();
    const { session } = bench.connect();
    expect(session.willIsMessage).toBe(true);
    for (const topicName of [`${TOKEN}/json/dev01`, 'OTHER/json/dev01']) {
      expect(session.mayPublishWill(topicName)).toBe(true);
    }
    expect(session.mayPublishWill('$SYS/x')).toBe(false);
    expect(fateOf(session.publish(dialectMessage('OTHER/json/dev01', '1')))).toBe('refused 0x87');
    expect(await refused(bench)).toEqual(['TOKEN_MISMATCH OTHE…/json/dev01 c']);
  });
});

describe('commands of the platform', () => {
  it('are JSON on the topic of the device in the space of its account', () => {
    const bench = new Bench();
    const device = bench.register('dev01');
    const command = (given: Parameters<typeof bench.dialect.routedCommand>[1]) => {
      const routed = bench.dialect.routedCommand(device, given, bench.credentials);
      if (typeof routed === 'string') return routed;
      expect(routed.account).toBe(ACCOUNT);
      return routed.messages.map(({ topicName, payload, qos }) => [topicName, new TextDecoder().decode(payload), qos]);
    };
    expect(command({ kind: 'rpc', id: '1', method: 'led', params: '{"on":true}' })).toEqual([
      ['~/dev01/subscribe', '{"method":"led","params":{"on":true}}', 1],
    ]);
    const values = new Map([['interval', { kind: 2, value: 5 }] as const]);
    expect(command({ kind: 'sharedAttributes', values, deleted: ['old'] })).toEqual([
      ['~/dev01/subscribe', '{"interval":5,"old":null}', 1],
    ]);
    expect(command({ kind: 'rpc', id: '1', method: 'm', params: `"${'x'.repeat(70_000)}"` })).toBe('tooLarge');
    const stranger = { ...device, id: 'elsewhere' };
    expect(bench.dialect.spaceAccount(device, bench.credentials)).toBe(ACCOUNT);
    expect(bench.dialect.spaceAccount(stranger, bench.credentials)).toBeNull();
    expect(
      bench.dialect.routedCommand(stranger, { kind: 'rpc', id: '1', method: 'm', params: '' }, bench.credentials),
    ).toBe('notSupported');
  });
});
