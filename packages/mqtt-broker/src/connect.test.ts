import { type Packet, PacketType } from '@moorage/mqtt-codec';
import { TestBroker } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { AcceptedPrincipal, ConnectRefusal } from './ports.ts';

const CONNECT_311 = [0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 1, 0x61];

/** An answer that a test gives when it likes. */
function later<T>() {
  let give: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    give = resolve;
  });
  return { promise, give };
}

async function settle(test: TestBroker): Promise<void> {
  for (let round = 0; round < 5; round++) await Promise.resolve();
  test.time.endTurn();
}

describe('state W: waiting for CONNECT', () => {
  it.each([0x00, 0x11, 0x20, 0x30, 0x62, 0x82, 0xc0, 0xe0, 0xf0, 0x16, 0x47])(
    'closes on the first byte %i without a packet [MQTT-3.1.0-1] [K-62]',
    async (byte) => {
      const test = await TestBroker.start();
      const client = test.open();
      client.bytes(byte, 0, 0, 0);
      expect(client.stream.closed).toBe(true);
      expect(client.stream.writes).toEqual([]);
      expect(test.broker.statistics().connections).toBe(0);
    },
  );

  it('closes after 10 s without a whole CONNECT', async () => {
    const test = await TestBroker.start();
    const client = test.open(4);
    for (const byte of CONNECT_311.slice(0, 9)) {
      client.bytes(byte);
      test.time.advance(1_000);
    }
    expect(client.stream.closed).toBe(false);
    test.time.advance(1_500);
    expect(client.stream.closed).toBe(true);
    expect(test.observer.of('connect.timeout')).toBe(1);
  });

  it('accepts a CONNECT in pieces of one byte', async () => {
    const test = await TestBroker.start();
    const client = test.open(4);
    for (const byte of CONNECT_311) client.bytes(byte);
    expect(client.receive()).toMatchObject([{ type: PacketType.Connack, reasonCode: 0 }]);
  });

  it('closes on a CONNECT above 64 KiB as soon as its length is known', async () => {
    const test = await TestBroker.start();
    const client = test.open();
    client.bytes(0x10, 0x80, 0x80, 0x04);
    expect(client.stream.closed).toBe(true);
    expect(client.stream.writes).toEqual([]);
  });

  it('answers another level as the table says and closes', async () => {
    const test = await TestBroker.start();
    const client = test.open();
    client.bytes(...CONNECT_311.map((byte, index) => (index === 8 ? 6 : byte)));
    expect(client.stream.writes).toEqual([Uint8Array.from([0x20, 3, 0, 0x84, 0])]);
    expect(client.stream.closed).toBe(true);
  });

  it('tells a 5.0 client of broken flags in CONNACK 0x81 and a 3.1.1 client nothing [MQTT-3.1.2-3]', async () => {
    const test = await TestBroker.start();
    const five = test.open(5);
    five.bytes(0x10, 14, 0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 3, 0, 0, 0, 0, 1, 0x61);
    expect(five.receive()).toMatchObject([{ type: PacketType.Connack, reasonCode: 0x81, sessionPresent: false }]);
    const four = test.open(4);
    four.bytes(...CONNECT_311.map((byte, index) => (index === 9 ? 3 : byte)));
    expect(four.stream.writes).toEqual([]);
    expect(four.stream.closed).toBe(true);
  });

  it('refuses more connections than the limit', async () => {
    const test = await TestBroker.start({ limits: { connections: 1 } });
    test.connect('a');
    expect(test.open().stream.destroyed).toBe(true);
  });
});

describe('state A: CONNECT is being looked up', () => {
  it('handles what came behind CONNECT after CONNACK, in order', async () => {
    const test = await TestBroker.start();
    const answer = later<AcceptedPrincipal>();
    let accepted: AcceptedPrincipal | null = null;
    test.authenticator.answer = (_connect, principal) => {
      accepted = principal;
      return answer.promise;
    };
    const client = test.open();
    client.send(client.connectPacket(), client.publishPacket('t', { payload: '1' }), { type: PacketType.Pingreq });
    expect(client.stream.paused).toBe(true);
    client.send(client.publishPacket('t', { payload: '2' }));
    expect(client.receive()).toEqual([]);
    expect(test.handler.events).toEqual([]);
    answer.give(accepted as unknown as AcceptedPrincipal);
    await settle(test);
    expect(client.receive().map((packet) => packet.type)).toEqual([PacketType.Connack, PacketType.Pingresp]);
    expect(test.handler.events).toEqual(['opened', 'publish t', 'publish t']);
    expect(client.stream.paused).toBe(false);
  });

  it('never handles what came behind a CONNECT that is refused [MQTT-3.1.4-6]', async () => {
    const test = await TestBroker.start();
    const refusal: ConnectRefusal = {
      accepted: false,
      returnCode: 5,
      reasonCode: 0x87,
      reasonString: 'No.',
      delayMs: 0,
    };
    test.authenticator.answer = () => refusal;
    const client = test.open();
    client.send(client.connectPacket(), client.publishPacket('t'));
    expect(client.receive()).toEqual([
      { type: PacketType.Connack, sessionPresent: false, reasonCode: 0x87, properties: { reasonString: 'No.' } },
    ]);
    expect(client.stream.closed).toBe(true);
    expect(test.handler.events).toEqual([]);
  });

  it('tells 3.x the return code, after the delay against guessing', async () => {
    const test = await TestBroker.start();
    test.authenticator.answer = () => ({
      accepted: false,
      returnCode: 4,
      reasonCode: 0x86,
      reasonString: null,
      delayMs: 2_000,
    });
    const client = test.open(4);
    client.send(client.connectPacket());
    test.time.advance(1_900);
    expect(client.receive()).toEqual([]);
    test.time.advance(200);
    expect(client.receive()).toMatchObject([{ type: PacketType.Connack, reasonCode: 4 }]);
    expect(client.stream.closed).toBe(true);
  });

  it('answers 0x88 when the look-up fails or does not end', async () => {
    const test = await TestBroker.start();
    test.authenticator.answer = () => Promise.reject(new TypeError('broken'));
    const failing = test.open();
    failing.send(failing.connectPacket());
    await settle(test);
    expect(failing.receive()).toMatchObject([{ reasonCode: 0x88 }]);
    expect(test.observer.faults).toHaveLength(1);
    test.authenticator.answer = () => new Promise(() => {});
    const waiting = test.open(4);
    waiting.send(waiting.connectPacket({ clientId: 'other' }));
    test.time.advance(31_000);
    expect(waiting.receive()).toMatchObject([{ reasonCode: 3 }]);
  });

  it('closes a client that sends more than 64 KiB behind its CONNECT', async () => {
    const test = await TestBroker.start();
    test.authenticator.answer = () => new Promise(() => {});
    const client = test.open();
    const big = client.encode(client.publishPacket('t', { payload: new Uint8Array(70_000) }));
    client.bytes(Uint8Array.from([...client.encode(client.connectPacket()), ...big]));
    expect(client.stream.closed).toBe(true);
  });

  it('does not open a connection that was lost meanwhile, nor publish its Will', async () => {
    const test = await TestBroker.start();
    const watcher = test.connect('watcher');
    watcher.subscribe('#');
    watcher.receive();
    const answer = later<AcceptedPrincipal>();
    let accepted: AcceptedPrincipal | null = null;
    test.authenticator.answer = (_connect, principal) => {
      accepted = principal;
      return answer.promise;
    };
    const client = test.open();
    client.send(
      client.connectPacket({
        will: { topicName: 'w', payload: new Uint8Array(1), qos: 0, retain: false, properties: null },
      }),
    );
    client.lose();
    answer.give(accepted as unknown as AcceptedPrincipal);
    await settle(test);
    expect(test.handler.events).toEqual([]);
    expect(watcher.messages()).toEqual([]);
    expect(test.broker.statistics()).toMatchObject({ connections: 1, sessions: 1 });
  });
});

describe('CONNACK', () => {
  it('announces what is ours and only what differs from what was asked [O-13] [O-15]', async () => {
    const test = await TestBroker.start();
    const plain = test.open();
    expect(plain.connect()).toEqual({
      type: PacketType.Connack,
      sessionPresent: false,
      reasonCode: 0,
      properties: { receiveMaximum: 100, topicAliasMaximum: 32, maximumPacketSize: 1_048_576 },
    });
    const forever = test.open();
    const { properties } = forever.connect({ clientId: 'x', properties: { sessionExpiryInterval: 0xffffffff } });
    expect(properties?.sessionExpiryInterval).toBe(604_800);
  });

  it('returns an Assigned Client Identifier [MQTT-3.1.3-7]', async () => {
    const test = await TestBroker.start();
    expect(test.open().connect({ clientId: '' }).properties?.assignedClientIdentifier).toBe('auto-1');
    expect(test.handler.connection?.clientId).toBe('auto-1');
  });

  it('imposes its Keep Alive on 5.0 clients that ask for more or none [MQTT-3.2.2-22] [O-16]', async () => {
    const test = await TestBroker.start({ policy: { serverKeepAlive: 60 } });
    expect(test.open().connect({ clientId: 'a', keepAlive: 0 }).properties?.serverKeepAlive).toBe(60);
    expect(test.open().connect({ clientId: 'b', keepAlive: 61 }).properties?.serverKeepAlive).toBe(60);
    expect(test.open().connect({ clientId: 'c', keepAlive: 60 }).properties?.serverKeepAlive).toBeUndefined();
  });

  it.each([3, 4, 5] as const)(
    'never closes a silent client with Keep Alive 0, level %i [MQTT-3.1.2-22] WS-11',
    async (level) => {
      const test = await TestBroker.start();
      const client = test.connect('c', level, { keepAlive: 0 });
      test.time.advance(7 * 86_400_000);
      expect([client.stream.ended, client.stream.probedAfter]).toEqual([false, null]);
      client.ping();
      expect(client.receive()).toMatchObject([{ type: PacketType.Pingresp }]);
    },
  );

  it('lets the network ask for clients with Keep Alive 0 where the policy says so, and for no others WS-11', async () => {
    const test = await TestBroker.start({ policy: { probeAfter: 60 } });
    expect(test.connect('a', 4, { keepAlive: 0 }).stream.probedAfter).toBe(60);
    expect(test.connect('b', 4, { keepAlive: 15 }).stream.probedAfter).toBeNull();
    test.authenticator.policy = { ...test.authenticator.policy, serverKeepAlive: 30 };
    expect(test.connect('c', 5, { keepAlive: 0 }).stream.probedAfter).toBeNull();
  });

  it('refuses any Authentication Method with 0x8C [MQTT-4.12.0-1]', async () => {
    const test = await TestBroker.start();
    expect(test.open().connect({ properties: { authenticationMethod: 'X' } }).reasonCode).toBe(0x8c);
  });

  it('refuses a Client Identifier above 1,024 bytes with 0x85 or 2 [O-14]', async () => {
    const test = await TestBroker.start();
    expect(test.open(5).connect({ clientId: 'é'.repeat(513) }).reasonCode).toBe(0x85);
    expect(test.open(4).connect({ clientId: 'x'.repeat(1_025) }).reasonCode).toBe(2);
    expect(test.open(5).connect({ clientId: 'é'.repeat(512) }).reasonCode).toBe(0);
  });

  it('refuses a Will that its sender may not publish, with 0x87 or 5', async () => {
    const test = await TestBroker.start();
    test.authenticator.prepare = (handler) => {
      handler.publishesWill = (topicName) => topicName !== 'secret';
    };
    const will = { topicName: 'secret', payload: new Uint8Array(0), qos: 0, retain: false, properties: null } as const;
    expect(test.open(5).connect({ will }).reasonCode).toBe(0x87);
    expect(test.open(4).connect({ will }).reasonCode).toBe(5);
    expect(test.broker.statistics().sessions).toBe(0);
  });
});

describe('take-over', () => {
  it('tells the older 5.0 client 0x8E before the newer gets CONNACK [MQTT-3.1.4-3] [K-46]', async () => {
    const test = await TestBroker.start();
    const older = test.connect('same');
    const seen: string[] = [];
    const olderHandler = test.handler;
    test.authenticator.prepare = (handler) => {
      handler.onOpened = () => seen.push(`opened after ${olderHandler.events.at(-1)}`);
    };
    const newer = test.connect('same');
    expect(older.receive()).toMatchObject([{ type: PacketType.Disconnect, reasonCode: 0x8e }]);
    expect(older.stream.closed).toBe(true);
    expect(seen).toEqual(['opened after closed']);
    newer.ping();
    expect(newer.receive()).toMatchObject([{ type: PacketType.Pingresp }]);
    expect(test.broker.statistics()).toMatchObject({ connections: 1, sessions: 1 });
  });

  it('just closes the older 3.1.1 client [K-46]', async () => {
    const test = await TestBroker.start();
    const older = test.connect('same', 4);
    test.connect('same', 4);
    expect(older.receive()).toEqual([]);
    expect(older.stream.closed).toBe(true);
  });

  it('serves CONNECTs of one key one after the other, in their order [O-36]', async () => {
    const test = await TestBroker.start();
    const answers: { readonly give: (principal: AcceptedPrincipal) => void; readonly accepted: AcceptedPrincipal }[] =
      [];
    test.authenticator.answer = (_connect, accepted) => {
      const { promise, give } = later<AcceptedPrincipal>();
      answers.push({ give, accepted });
      return promise;
    };
    const first = test.open();
    const second = test.open();
    first.send(first.connectPacket({ clientId: 'same' }));
    second.send(second.connectPacket({ clientId: 'same' }));
    expect(answers).toHaveLength(1);
    answers[0]?.give(answers[0].accepted);
    await settle(test);
    expect(first.receive()).toMatchObject([{ reasonCode: 0 }]);
    expect(answers).toHaveLength(2);
    answers[1]?.give(answers[1].accepted);
    await settle(test);
    expect(first.receive()).toMatchObject([{ type: PacketType.Disconnect, reasonCode: 0x8e }]);
    expect(second.receive()).toMatchObject([{ reasonCode: 0 }]);
  });

  it('never displaces a connection without a Session key', async () => {
    const test = await TestBroker.start();
    test.authenticator.answer = (_connect, accepted) => ({ ...accepted, sessionKey: null });
    const first = test.connect('same');
    const second = test.connect('same');
    for (const client of [first, second]) client.ping();
    const types = (packets: Packet[]) => packets.map((packet) => packet.type);
    expect([types(first.receive()), types(second.receive())]).toEqual([[PacketType.Pingresp], [PacketType.Pingresp]]);
    expect(test.broker.statistics().sessions).toBe(2);
    first.lose();
    expect(test.broker.statistics().sessions).toBe(1);
  });
});

describe('the broker', () => {
  it('tells 5.0 clients 0x8B when it closes, and leaves no timer', async () => {
    const test = await TestBroker.start();
    const five = test.connect('five', 5);
    const four = test.connect('four', 4);
    await test.broker.close();
    expect(five.receive()).toMatchObject([{ type: PacketType.Disconnect, reasonCode: 0x8b }]);
    expect([five.stream.closed, four.stream.closed]).toEqual([true, true]);
    expect(test.time.timers).toBe(0);
    expect(test.open().stream.destroyed).toBe(true);
  });

  it('does not wait longer than a second for a client that takes nothing', async () => {
    const test = await TestBroker.start();
    const client = test.connect('a');
    client.stream.stalled = true;
    const closing = test.broker.close();
    test.time.advance(1_000);
    await closing;
    expect(client.stream.closed).toBe(false);
    client.stream.lose();
  });

  it('closes only the connection whose packet made the host fail', async () => {
    const test = await TestBroker.start();
    const good = test.connect('good');
    const bad = test.connect('bad');
    test.handler.onPublish = () => {
      throw new TypeError('a fault of the host');
    };
    bad.publish('t');
    expect(bad.receive()).toMatchObject([{ type: PacketType.Disconnect, reasonCode: 0x80 }]);
    expect(test.observer.faults).toHaveLength(1);
    good.ping();
    expect(good.receive()).toHaveLength(1);
  });

  it('disconnects by key, and with dropSession throws Session and Will away', async () => {
    const test = await TestBroker.start();
    const watcher = test.connect('watcher');
    watcher.subscribe('w');
    const will = { topicName: 'w', payload: new Uint8Array(0), qos: 0, retain: false, properties: null } as const;
    const client = test.connect('c', 5, { will, properties: { sessionExpiryInterval: 100 } });
    expect(test.broker.dropSession('c')).toBe(true);
    expect(client.receive()).toMatchObject([{ type: PacketType.Disconnect, reasonCode: 0x87 }]);
    expect(watcher.messages()).toEqual([]);
    expect(test.broker.dropSession('c')).toBe(false);
    expect(test.open().connect({ clientId: 'c', cleanStart: false }).sessionPresent).toBe(false);
    expect(test.broker.disconnect('c', 0x98, 'test')).toBe(true);
    expect(test.broker.disconnect('nobody', 0x98, 'test')).toBe(false);
    expect(test.broker.connectionOf('watcher')?.clientId).toBe('watcher');
  });
});
