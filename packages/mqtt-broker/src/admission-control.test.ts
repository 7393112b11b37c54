import { PacketType } from '@moorage/mqtt-codec';
import { type RawClient, TestBroker } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { NO_RATE_LIMITS, USUAL_FLAPPING_LIMITS } from './limits.ts';
import type { AcceptedPrincipal } from './ports.ts';

function publishMany(client: RawClient, count: number, payload = ''): void {
  client.send(
    ...Array.from({ length: count }, (_, index) => client.publishPacket('t', { payload: `${index}${payload}` })),
  );
}

function heard(test: TestBroker): number {
  return test.observer.of('heard');
}

/** Counts PUBLISHes that the host sees. */
function count(test: TestBroker): void {
  test.authenticator.prepare = (handler) => {
    handler.onPublish = () => {
      test.observer.count('heard', 1);
      return { route: true, reasonCode: 0, close: null };
    };
  };
}

describe('rates', () => {
  it('of messages stop the reading of a client that is over them, and nothing is lost', async () => {
    const test = await TestBroker.start({ limits: { rates: { ...NO_RATE_LIMITS, clientMessagesPerSecond: 10 } } });
    count(test);
    const client = test.connect('c', 4);
    const other = test.connect('other', 4);
    publishMany(client, 100);
    // A second's worth, and the one that went into debt.
    expect(heard(test)).toBe(11);
    expect(client.stream.paused).toBe(true);
    publishMany(other, 5);
    expect(heard(test)).toBe(16);
    test.time.advance(5_000);
    expect(heard(test)).toBeGreaterThanOrEqual(60);
    expect(heard(test)).toBeLessThanOrEqual(68);
    test.time.advance(5_000);
    expect(heard(test)).toBe(105);
    expect(client.stream.paused).toBe(false);
    expect(test.observer.of('connection.rateLimited')).toBeGreaterThan(0);
  });

  it('of bytes count whole packets of every kind', async () => {
    const test = await TestBroker.start({ limits: { rates: { ...NO_RATE_LIMITS, clientBytesPerSecond: 1_000 } } });
    count(test);
    const client = test.connect('c', 4);
    publishMany(client, 1, 'x'.repeat(4_990));
    expect(client.stream.paused).toBe(true);
    client.ping();
    test.time.advance(3_800);
    expect(client.receive()).toEqual([]);
    test.time.advance(500);
    expect(client.receive()).toMatchObject([{ type: PacketType.Pingresp }]);
  });

  it('of a listener hold for all its clients together, and for no other listener', async () => {
    const test = await TestBroker.start({ limits: { rates: { ...NO_RATE_LIMITS, listenerMessagesPerSecond: 20 } } });
    count(test);
    const clients = [0, 1, 2].map((index) => test.connect(`c${index}`, 4));
    const elsewhere = test.open(4, { listener: 'other' });
    elsewhere.connect({ clientId: 'elsewhere' });
    for (const client of clients) publishMany(client, 40);
    // Twenty are free, and each client may be one message over.
    expect(heard(test)).toBeLessThanOrEqual(23);
    publishMany(elsewhere, 20);
    expect(heard(test)).toBeLessThanOrEqual(43);
    test.time.advance(8_000);
    expect(heard(test)).toBe(140);
  });

  it('are off by default', async () => {
    const test = await TestBroker.start();
    count(test);
    publishMany(test.connect('c', 4), 5_000);
    expect(heard(test)).toBe(5_000);
  });

  it('do not let the Keep Alive run out while a client is not read', async () => {
    const test = await TestBroker.start({ limits: { rates: { ...NO_RATE_LIMITS, clientMessagesPerSecond: 1 } } });
    const client = test.connect('c', 4, { keepAlive: 5 });
    publishMany(client, 60);
    test.time.advance(30_000);
    expect(client.stream.closed).toBe(false);
  });

  it('of a policy all hold: 100 in a second and 20 a second over a minute, and nothing is lost', async () => {
    const rates = [
      { messages: 100, seconds: 1 },
      { messages: 1_200, seconds: 60 },
    ];
    const test = await TestBroker.start({ policy: { rates } });
    count(test);
    const client = test.connect('c', 4);
    publishMany(client, 3_000);
    // The burst of a second, and the one that went into debt.
    expect(heard(test)).toBe(101);
    expect(client.stream.paused).toBe(true);
    const seen: number[] = [];
    for (const seconds of [5, 5, 10, 30]) {
      test.time.advance(seconds * 1_000);
      seen.push(heard(test));
    }
    // Until the minute's worth is used up 100 a second, then 20.
    expect(seen[0]).toBeGreaterThanOrEqual(550);
    expect(seen[0]).toBeLessThanOrEqual(601);
    expect(seen[1]).toBeGreaterThanOrEqual(1_050);
    expect(seen[2]).toBeLessThanOrEqual(1_200 + 20 * 20 + 10);
    const lastThirty = (seen[3] ?? 0) - (seen[2] ?? 0);
    expect(lastThirty).toBeGreaterThanOrEqual(590);
    expect(lastThirty).toBeLessThanOrEqual(610);
    test.time.advance(120_000);
    expect(heard(test)).toBe(3_000);
    expect(client.stream.paused).toBe(false);
  });

  it('of a policy hold for each connection, beside those of the server, and end with a policy without', async () => {
    const test = await TestBroker.start({
      limits: { rates: { ...NO_RATE_LIMITS, clientBytesPerSecond: 1_000 } },
      policy: { rates: [{ messages: 10, seconds: 1 }] },
    });
    count(test);
    const clients = [test.connect('a', 4), test.connect('b', 4)];
    for (const client of clients) publishMany(client, 20);
    expect(heard(test)).toBe(22);
    test.time.advance(2_000);
    expect(heard(test)).toBe(40);
    publishMany(clients[0] as RawClient, 1, 'x'.repeat(3_000));
    expect(clients[0]?.stream.paused).toBe(true);
    test.time.advance(5_000);
    test.broker.setRates(NO_RATE_LIMITS);
    const { rates: _rates, ...free } = test.authenticator.policy;
    test.authenticator.policy = free;
    publishMany(test.connect('c', 4), 500);
    expect(heard(test)).toBe(541);
    publishMany(clients[0] as RawClient, 20);
    expect(heard(test)).toBe(552);
  });

  it('of CONNECTs leave the excess unread, first come, first served', async () => {
    const test = await TestBroker.start({ limits: { rates: { ...NO_RATE_LIMITS, connectsPerSecond: 5 } } });
    const clients = Array.from({ length: 20 }, (_, index) => {
      const client = test.open(4);
      client.send(client.connectPacket({ clientId: `c${index}` }));
      return client;
    });
    const accepted = () => clients.map((client) => client.stream.writes.length > 0);
    expect(accepted()).toEqual(clients.map((_, index) => index < 5));
    expect(clients[19]?.stream.unread).toBeGreaterThan(0);
    expect(test.observer.of('connect.delayed')).toBe(15);
    const elsewhere = test.open(4, { listener: 'other' });
    expect(elsewhere.connect({ clientId: 'elsewhere' }).reasonCode).toBe(0);
    test.time.advance(1_300);
    expect(accepted().filter(Boolean).length).toBeGreaterThanOrEqual(10);
    expect(accepted().lastIndexOf(true)).toBe(accepted().filter(Boolean).length - 1);
    test.time.advance(3_000);
    expect(accepted().every(Boolean)).toBe(true);
  });
});

describe('CONNECTs under way', () => {
  async function slow(connectsUnderWay: number) {
    const test = await TestBroker.start({ limits: { connectsUnderWay } });
    const answers: (() => void)[] = [];
    test.authenticator.answer = (_connect, accepted) =>
      new Promise<AcceptedPrincipal>((resolve) => answers.push(() => resolve(accepted)));
    const settle = async () => {
      for (let round = 0; round < 5; round++) await Promise.resolve();
      test.time.endTurn();
    };
    return { test, answers, settle };
  }

  it('are so many at most; the others are not read until one is answered', async () => {
    const { test, answers, settle } = await slow(3);
    const clients = Array.from({ length: 10 }, (_, index) => {
      const client = test.open(4);
      client.send(client.connectPacket({ clientId: `c${index}` }));
      return client;
    });
    expect(answers).toHaveLength(3);
    for (let answered = 0; answered < 10; answered++) {
      answers[answered]?.();
      await settle();
      expect(answers.length).toBe(Math.min(10, answered + 4));
    }
    expect(clients.every((client) => client.stream.writes.length === 1)).toBe(true);
  });

  it('are let in by 200 in a turn of the event loop, in order', async () => {
    const test = await TestBroker.start();
    const asked: string[] = [];
    test.authenticator.answer = ({ clientId }, accepted) => {
      asked.push(clientId);
      return accepted;
    };
    for (let index = 0; index < 450; index++) {
      const client = test.open(4);
      client.stream.send(client.encode(client.connectPacket({ clientId: `c${index}` })));
    }
    for (const expected of [200, 400, 450]) {
      expect(asked).toHaveLength(expected);
      test.time.endOneTurn();
    }
    expect(asked).toEqual(Array.from({ length: 450 }, (_, index) => `c${index}`));
  });

  it('do not count clients that stay silent, nor wait for those that left', async () => {
    const { test, answers } = await slow(2);
    test.open(4);
    test.open(4);
    const leaving = test.open(4);
    const client = test.open(4);
    client.send(client.connectPacket({ clientId: 'c' }));
    expect(answers).toHaveLength(0);
    leaving.lose();
    test.time.advance(2_000);
    expect(answers).toHaveLength(1);
  });

  it('begin the time allowed for a CONNECT only when it is their turn', async () => {
    const { test } = await slow(1);
    const first = test.open(4);
    first.send(first.connectPacket({ clientId: 'first' }));
    const second = test.open(4);
    test.time.advance(20_000);
    expect(second.stream.closed).toBe(false);
    expect(test.observer.of('connect.timeout')).toBe(0);
  });
});

describe('flapping', () => {
  const flapping = USUAL_FLAPPING_LIMITS;

  it('is refused with 0x9F or 3 from the 16th accepted CONNECT in a minute on, for a minute', async () => {
    for (const [level, code] of [
      [5, 0x9f],
      [4, 3],
    ] as const) {
      const test = await TestBroker.start({ limits: { flapping } });
      const codes = Array.from({ length: 17 }, () => test.open(level).connect({ clientId: 'c' }).reasonCode);
      expect(codes).toEqual([...new Array(15).fill(0), code, code]);
      expect(test.observer.of('connect.flapping')).toBe(2);
      test.time.advance(59_000);
      expect(test.open(level).connect({ clientId: 'c' }).reasonCode).toBe(code);
      test.time.advance(1_000);
      expect(test.open(level).connect({ clientId: 'c' }).reasonCode).toBe(0);
    }
  });

  it('leaves the connection that stands alone', async () => {
    const test = await TestBroker.start({ limits: { flapping } });
    let last = test.connect('c');
    for (let times = 1; times < 15; times++) last = test.connect('c');
    test.connect('c');
    last.ping();
    expect(last.receive()).toMatchObject([{ type: PacketType.Pingresp }]);
  });

  it('is counted for each pair of address and identity: neighbours behind one address are served', async () => {
    const test = await TestBroker.start({ limits: { flapping } });
    for (let times = 0; times < 20; times++) test.connect('c');
    expect(test.open().connect({ clientId: 'neighbour' }).reasonCode).toBe(0);
    expect(test.open(5, { remoteAddress: '10.0.0.9' }).connect({ clientId: 'c' }).reasonCode).toBe(0);
  });

  it('is not what a client does that is refused twice a second: its refusals do not count', async () => {
    const test = await TestBroker.start({ limits: { flapping } });
    const refusal = { accepted: false, returnCode: 5, reasonCode: 0x87, reasonString: null, delayMs: 0 } as const;
    test.authenticator.answer = () => refusal;
    for (let times = 0; times < 600; times++) {
      expect(test.open(4).connect({ clientId: 'relay' }).reasonCode).toBe(5);
      test.time.advance(500);
    }
    test.authenticator.answer = null;
    expect(test.open(4).connect({ clientId: 'relay' }).reasonCode).toBe(0);
  });

  it('refuses a client that retries twice a second for a minute and no longer', async () => {
    const test = await TestBroker.start({ limits: { flapping } });
    const codes: number[] = [];
    for (let times = 0; times < 180; times++) {
      codes.push(test.open(4).connect({ clientId: 'relay' }).reasonCode);
      test.time.advance(500);
    }
    expect(codes.slice(0, 15).every((code) => code === 0)).toBe(true);
    expect(codes.slice(15, 135).every((code) => code === 3)).toBe(true);
    expect(codes[135]).toBe(0);
  });

  it('is not looked for by default', async () => {
    const test = await TestBroker.start();
    for (let times = 0; times < 100; times++) expect(test.open().connect({ clientId: 'c' }).reasonCode).toBe(0);
  });
});

describe('a ban', () => {
  it('refuses a Session key with 0x8A or 5 until its time, and ends the connection', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    test.broker.ban('c', test.time.now() + 60_000);
    test.time.endTurn();
    expect(client.receive()).toMatchObject([{ type: PacketType.Disconnect, reasonCode: 0x98 }]);
    expect(test.open(5).connect({ clientId: 'c' }).reasonCode).toBe(0x8a);
    expect(test.open(4).connect({ clientId: 'c' }).reasonCode).toBe(5);
    expect(test.open(5).connect({ clientId: 'd' }).reasonCode).toBe(0);
    expect(test.broker.bans()).toEqual([{ sessionKey: 'c', untilMs: test.time.now() + 60_000 }]);
    test.time.advance(60_000);
    expect(test.broker.bans()).toEqual([]);
    expect(test.open(5).connect({ clientId: 'c' }).reasonCode).toBe(0);
  });

  it('drops the Will, be it due or delayed [K-8]', async () => {
    const test = await TestBroker.start();
    const watcher = test.connect('watcher');
    watcher.subscribe('w');
    watcher.receive();
    const will = { topicName: 'w', payload: new Uint8Array(1), qos: 0, retain: false } as const;
    const fields = { cleanStart: false, properties: { sessionExpiryInterval: 100 } };
    test.connect('now', 5, { ...fields, will: { ...will, properties: null } });
    test.connect('later', 5, { ...fields, will: { ...will, properties: { willDelayInterval: 10 } } }).lose();
    test.broker.ban('now', Number.POSITIVE_INFINITY);
    test.broker.ban('later', Number.POSITIVE_INFINITY);
    test.time.advance(200_000);
    expect(watcher.messages()).toEqual([]);
    expect(test.broker.unban('now')).toBe(true);
    expect(test.broker.unban('now')).toBe(false);
    expect(test.open().connect({ clientId: 'now' }).reasonCode).toBe(0);
  });
});

describe('a trace', () => {
  it('shows the packets of one connection both ways, from CONNACK on, and of later ones, until it is turned off', async () => {
    const test = await TestBroker.start();
    test.broker.trace('c', true);
    const client = test.connect('c', 4, { username: 'space', password: Uint8Array.from([0x41]) });
    const other = test.connect('other', 4);
    other.subscribe('t');
    client.ping();
    client.publish('t', { payload: 'x' });
    other.ping();
    expect(test.observer.packets).toEqual(['out 20020000', 'in c000', 'out d000', 'in 3004000174' + '78']);
    client.lose();
    const again = test.connect('c', 4);
    test.broker.trace('c', false);
    again.ping();
    expect(test.observer.packets).toHaveLength(5);
    test.broker.trace('c', true);
    again.ping();
    expect(test.observer.packets.slice(5)).toEqual(['in c000', 'out d000']);
  });
});
