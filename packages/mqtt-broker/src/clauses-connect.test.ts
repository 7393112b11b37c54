import { type Packet, PacketType, type ProtocolLevel, type Will } from '@moorage/mqtt-codec';
import { type RawClient, TestBroker } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';

const WILL: Will = { topicName: 'w', payload: Uint8Array.from([1]), qos: 1, retain: false, properties: null };
const PERSISTENT = { cleanStart: false, properties: { sessionExpiryInterval: 100 } } as const;

/** The body of a CONNECT: name, level, flags, Keep Alive 0, no properties, then the payload fields given. */
function connectBytes(level: ProtocolLevel, flags: number, fields: readonly (readonly number[])[]): Uint8Array {
  const name = level === 3 ? [0, 6, 0x4d, 0x51, 0x49, 0x73, 0x64, 0x70] : [0, 4, 0x4d, 0x51, 0x54, 0x54];
  const body = [...name, level, flags, 0, 0, ...(level === 5 ? [0] : []), ...fields.flat()];
  return Uint8Array.from([0x10, body.length, ...body]);
}

const ID = [0, 1, 0x61];
const EMPTY = [0, 0];

async function watched(): Promise<{ test: TestBroker; watcher: RawClient }> {
  const test = await TestBroker.start();
  const watcher = test.connect('watcher');
  watcher.subscribe('#', { qos: 2 });
  watcher.receive();
  return { test, watcher };
}

describe('the form of a CONNECT', () => {
  /** What is wrong, its clauses in 5.0 and in 3.1.1, flags, payload fields. */
  const broken: readonly (readonly [string, string, string, number, readonly (readonly number[])[]])[] = [
    ['Will Flag without a Will', '[MQTT-3.1.2-9]', '[v3.1.1 MQTT-3.1.2-9]', 0x06, [ID]],
    ['Will QoS without Will Flag', '[MQTT-3.1.2-11]', '[v3.1.1 MQTT-3.1.2-13]', 0x0a, [ID]],
    ['Will QoS 3', '[MQTT-3.1.2-12]', '[v3.1.1 MQTT-3.1.2-14]', 0x1e, [ID, ID, ID]],
    ['Will Retain without Will Flag', '[MQTT-3.1.2-13]', '[v3.1.1 MQTT-3.1.2-15]', 0x22, [ID]],
    ['User Name Flag without a user name', '[MQTT-3.1.2-17]', '[v3.1.1 MQTT-3.1.2-19]', 0x82, [ID]],
    ['a user name without its flag', '[MQTT-3.1.2-16]', '[v3.1.1 MQTT-3.1.2-18]', 0x02, [ID, ID]],
    ['Password Flag without a password', '[MQTT-3.1.2-19]', '[v3.1.1 MQTT-3.1.2-21]', 0xc2, [ID, ID]],
    ['a password without its flag', '[MQTT-3.1.2-18]', '[v3.1.1 MQTT-3.1.2-20]', 0x82, [ID, ID, ID]],
    ['no Client Identifier', '[MQTT-3.1.3-3]', '[v3.1.1 MQTT-3.1.3-3]', 0x02, []],
    ['the reserved flag', '[MQTT-3.1.2-3]', '[v3.1.1 MQTT-3.1.2-3]', 0x03, [ID]],
    ['a Client Identifier not in UTF-8', '[MQTT-3.1.3-4]', '[v3.1.1 MQTT-3.1.3-4]', 0x02, [[0, 1, 0xff]]],
    ['U+0000 in it', '[MQTT-1.5.4-2]', '[v3.1.1 MQTT-1.5.3-2]', 0x02, [[0, 1, 0]]],
    ['a user name not in UTF-8', '[MQTT-3.1.3-12]', '[v3.1.1 MQTT-3.1.3-11]', 0x82, [ID, [0, 1, 0xc0]]],
  ];

  for (const [title, five, four, flags, fields] of broken) {
    it(`is checked: ${title} is CONNACK 0x81 on 5.0 ${five} [MQTT-3.1.4-1] [O-4] [U-26]`, async () => {
      const test = await TestBroker.start();
      const client = test.open(5);
      client.bytes(connectBytes(5, flags, fields));
      expect(client.receive()).toMatchObject([{ type: PacketType.Connack, sessionPresent: false, reasonCode: 0x81 }]);
      expect(client.stream.closed).toBe(true);
      expect(test.authenticator.handlers).toEqual([]);
    });

    it(`is checked: ${title} closes on 3.1.1 without CONNACK ${four} [v3.1.1 MQTT-3.1.4-1] [v3.1.1 MQTT-3.2.2-6] [v3.1.1 MQTT-4.8.0-1]`, async () => {
      const test = await TestBroker.start();
      const client = test.open(4);
      client.bytes(connectBytes(4, flags, fields));
      expect(client.receive()).toEqual([]);
      expect(client.stream.closed).toBe(true);
      expect(test.authenticator.handlers).toEqual([]);
    });
  }

  it('is that of 3.1.1 where a password without user name closes [v3.1.1 MQTT-3.1.2-22] and 5.0 takes it', async () => {
    const test = await TestBroker.start();
    const four = test.open(4);
    four.bytes(connectBytes(4, 0x42, [ID, ID]));
    expect([four.stream.closed, four.stream.writes]).toEqual([true, []]);
    const five = test.open(5);
    five.bytes(connectBytes(5, 0x42, [ID, ID]));
    expect(five.receive()).toMatchObject([{ type: PacketType.Connack, reasonCode: 0 }]);
  });

  it.each(['MQTx', 'mqtt', 'MQIsdq', 'HTTP'])(
    'of the protocol name %s closes without a packet [MQTT-3.1.2-1] [v3.1.1 MQTT-3.1.2-1]',
    async (name) => {
      const test = await TestBroker.start();
      const client = test.open(4);
      const text = [...new TextEncoder().encode(name)];
      client.bytes(0x10, 2 + text.length + 7, 0, text.length, ...text, 4, 2, 0, 0, ...ID);
      expect([client.stream.closed, client.stream.writes]).toEqual([true, []]);
    },
  );

  it('with a Will that has a property of a wrong type: that connection only, 0x81 [K-9]', async () => {
    const { test, watcher } = await watched();
    for (let times = 0; times < 100; times++) {
      const client = test.open(5);
      // Topic Alias does not belong to a Will.
      client.bytes(connectBytes(5, 0x06, [ID, [3, 0x23, 0, 1], [0, 1, 0x77], EMPTY]));
      expect(client.receive()).toMatchObject([{ type: PacketType.Connack, reasonCode: 0x81 }]);
    }
    expect(watcher.messages()).toEqual([]);
    expect(test.broker.statistics()).toMatchObject({ connections: 1, sessions: 1 });
  });

  it('with Authentication Data but no method is CONNACK 0x82 [U-5]', async () => {
    const test = await TestBroker.start();
    const bytes = [0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 2, 0, 0, 3, 0x16, 0, 0, ...ID];
    const client = test.open(5);
    client.bytes(0x10, bytes.length, ...bytes);
    expect(client.receive()).toMatchObject([{ type: PacketType.Connack, reasonCode: 0x82 }]);
    expect(client.stream.closed).toBe(true);
  });
});

describe('CONNACK', () => {
  it.each([4, 5] as const)(
    'comes first, once, and accepts a valid CONNECT, level %i [MQTT-3.1.4-5] [MQTT-3.2.0-1] [MQTT-3.2.0-2] [v3.1.1 MQTT-3.1.4-4] [v3.1.1 MQTT-3.2.0-1]',
    async (level) => {
      const test = await TestBroker.start();
      const first = test.connect('c', level, PERSISTENT);
      first.subscribe('t', { qos: 1 });
      first.lose();
      test.connect('p').publish('t', { qos: 1 });
      test.authenticator.prepare = (handler) => {
        handler.onOpened = (connection) => connection.push('hello', new Uint8Array(0), 0);
      };
      const client = test.open(level);
      client.send(client.connectPacket({ clientId: 'c', ...PERSISTENT }), { type: PacketType.Pingreq });
      await Promise.resolve();
      test.time.endTurn();
      const types = client.receive().map((packet) => packet.type);
      expect(types[0]).toBe(PacketType.Connack);
      expect(types.slice(1)).not.toContain(PacketType.Connack);
      expect(types.slice(1).sort((a, b) => a - b)).toEqual([
        PacketType.Publish,
        PacketType.Publish,
        PacketType.Pingresp,
      ]);
    },
  );

  it.each([4, 5] as const)(
    'has Session Present 0 after a clean start, 1 where there is a Session, 0 where there is none, level %i [MQTT-3.1.2-4] [MQTT-3.1.2-5] [MQTT-3.1.2-6] [MQTT-3.1.4-4] [MQTT-3.2.2-1] [MQTT-3.2.2-2] [MQTT-3.2.2-3] [v3.1.1 MQTT-3.1.2-4] [v3.1.1 MQTT-3.1.2-6] [v3.1.1 MQTT-3.1.4-3] [v3.1.1 MQTT-3.2.2-1] [v3.1.1 MQTT-3.2.2-2] [v3.1.1 MQTT-3.2.2-3]',
    async (level) => {
      const test = await TestBroker.start();
      /** The byte of the acknowledge flags, and what a publish reaches. */
      const connect = (cleanStart: boolean) => {
        const client = test.open(level);
        client.connect({ clientId: 'c', cleanStart, properties: level === 5 ? PERSISTENT.properties : null });
        const flags = client.stream.writes[0]?.[2];
        test.connect('p').publish('t', { qos: 1 });
        const heard = client.messages().length;
        client.subscribe('t', { qos: 0 });
        client.receive();
        client.lose();
        return [flags, heard];
      };
      expect([connect(false), connect(false), connect(true), connect(false), connect(true)]).toEqual([
        [0, 0],
        [1, 1],
        [0, 0],
        // On 3.x the Session of a clean start has ended with its connection.
        level === 5 ? [1, 1] : [0, 0],
        [0, 0],
      ]);
    },
  );

  it.each([
    [5, 0x87],
    [4, 5],
  ] as const)(
    'that refuses has Session Present 0 though there is a Session, a code of its list, and closes, level %i [MQTT-3.1.4-2] [MQTT-3.2.2-6] [MQTT-3.2.2-7] [MQTT-3.2.2-8] [MQTT-3.14.0-1] [MQTT-4.13.2-1] [v3.1.1 MQTT-3.2.2-4] [v3.1.1 MQTT-3.2.2-5]',
    async (level, reasonCode) => {
      const test = await TestBroker.start();
      test.connect('c', level, PERSISTENT).lose();
      test.authenticator.answer = () => ({
        accepted: false,
        returnCode: 5,
        reasonCode: 0x87,
        reasonString: null,
        delayMs: 0,
      });
      const client = test.open(level);
      client.send(client.connectPacket({ clientId: 'c', ...PERSISTENT }));
      expect(client.receive()).toMatchObject([{ type: PacketType.Connack, sessionPresent: false, reasonCode }]);
      expect(client.stream.closed).toBe(true);
    },
  );

  it.each([4, 5] as const)(
    'that refuses is the end of it: nothing behind it is acted upon, level %i [MQTT-3.1.4-6] [v3.1.1 MQTT-3.1.4-5]',
    async (level) => {
      const { test, watcher } = await watched();
      test.authenticator.answer = () => ({
        accepted: false,
        returnCode: 4,
        reasonCode: 0x86,
        reasonString: null,
        delayMs: 0,
      });
      const client = test.open(level);
      client.send(client.connectPacket({ will: WILL }), client.publishPacket('t'), { type: PacketType.Pingreq });
      expect(client.receive()).toHaveLength(1);
      expect(watcher.messages()).toEqual([]);
    },
  );

  it('leaves its Reason String out where it would be too large [MQTT-3.2.2-19]', async () => {
    const test = await TestBroker.start();
    test.authenticator.answer = () => ({
      accepted: false,
      returnCode: 5,
      reasonCode: 0x87,
      reasonString: 'x'.repeat(100),
      delayMs: 0,
    });
    const client = test.open(5);
    const connack = client.connect({ properties: { maximumPacketSize: 20 } });
    expect(connack.reasonCode).toBe(0x87);
    expect(client.stream.writes[0]?.length).toBeLessThanOrEqual(20);
  });

  it.each([undefined, 0, 1] as const)(
    'never has Response Information, with Request Response Information %s [MQTT-3.1.2-28]',
    async (requestResponseInformation) => {
      const test = await TestBroker.start();
      const properties = requestResponseInformation === undefined ? null : { requestResponseInformation };
      const connack = test.open(5).connect({ properties });
      expect(connack.properties?.responseInformation).toBeUndefined();
    },
  );

  it('announces no limit of QoS or retaining, and a Will and a PUBLISH of every kind are taken [MQTT-3.2.2-9] [MQTT-3.2.2-12] [MQTT-3.2.2-13]', async () => {
    const { test, watcher } = await watched();
    for (const qos of [0, 1, 2] as const) {
      const client = test.open(5);
      const will = { ...WILL, topicName: `w${qos}`, qos, retain: true };
      const { properties, reasonCode } = client.connect({ will });
      expect(reasonCode).toBe(0);
      expect(properties).not.toHaveProperty('maximumQoS');
      expect(properties).not.toHaveProperty('retainAvailable');
      client.publish(`p${qos}`, { qos, retain: true, payload: 'x' });
      client.lose();
      expect(watcher.messages().map((message) => [message.topicName, message.qos])).toEqual([
        [`p${qos}`, qos],
        [`w${qos}`, qos],
      ]);
    }
    expect(test.broker.statistics().retainedMessages).toBe(6);
  });
});

describe('the Client Identifier', () => {
  it.each([3, 4, 5] as const)(
    'of 1 to 23 letters and digits is never refused, level %i [MQTT-3.1.3-5] [v3.1.1 MQTT-3.1.3-5]',
    async (level) => {
      const test = await TestBroker.start();
      for (const clientId of [
        '0',
        'a',
        'Z',
        'abcdefghijklmnopqrstuvw',
        'ABCDEFGHIJKLMNOPQRSTUVW',
        '01234567890123456789xyZ',
      ]) {
        expect(test.open(level).connect({ clientId }).reasonCode).toBe(0);
      }
    },
  );

  it('that the host made is told and counts as sent [MQTT-3.1.3-7]', async () => {
    const test = await TestBroker.start();
    const made = [1, 2, 3].map(() => test.open(5).connect({ clientId: '' }).properties?.assignedClientIdentifier);
    expect(new Set(made).size).toBe(3);
    expect(test.broker.statistics().connections).toBe(3);
    const named = made[0] ?? '';
    const older = test.broker.connectionOf(named);
    expect(older?.clientId).toBe(named);
    test.connect(named);
    expect(test.broker.statistics().connections).toBe(3);
  });

  it('that the host made for 3.1.1 counts too, untold', async () => {
    const test = await TestBroker.start();
    const clients = [1, 2].map(() => test.connect('', 4));
    for (const client of clients) client.ping();
    expect(clients.map((client) => client.receive().length)).toEqual([1, 1]);
    expect(test.broker.statistics().sessions).toBe(2);
  });

  it.each([
    [5, 0x85],
    [4, 2],
  ] as const)(
    'that is refused is told so, then closed, level %i [MQTT-3.1.3-8] [v3.1.1 MQTT-3.1.3-9]',
    async (level, reasonCode) => {
      const test = await TestBroker.start();
      const tooLong = test.open(level);
      expect(tooLong.connect({ clientId: 'x'.repeat(1_025) }).reasonCode).toBe(reasonCode);
      expect(tooLong.stream.closed).toBe(true);
      // What the host makes of an empty identifier without clean start is its own; the answer is passed on.
      test.authenticator.answer = (connect, accepted) =>
        connect.clientId === '' && !connect.cleanStart
          ? { accepted: false, returnCode: 2, reasonCode: 0x85, reasonString: null, delayMs: 0 }
          : accepted;
      const nameless = test.open(level);
      expect(nameless.connect({ clientId: '', cleanStart: false }).reasonCode).toBe(reasonCode);
      expect(nameless.stream.closed).toBe(true);
    },
  );

  it.each([4, 5] as const)(
    'finds the Session, level %i [MQTT-3.1.3-2] [MQTT-4.1.0-1] [v3.1.1 MQTT-3.1.3-2] [v3.1.1 MQTT-3.1.2-5] [v3.1.1 MQTT-4.1.0-1] [v3.1.1 MQTT-4.5.0-1] [MQTT-4.5.0-1]',
    async (level) => {
      const test = await TestBroker.start();
      for (const name of ['one', 'two']) {
        const client = test.connect(name, level, PERSISTENT);
        client.subscribe([name, 'both'], { qos: 1 });
        client.lose();
      }
      const publisher = test.connect('p');
      for (const topicName of ['one', 'two', 'both', 'zero']) publisher.publish(topicName, { qos: 1, payload: 'x' });
      for (const name of ['one', 'two']) {
        const client = test.open(level);
        expect(client.connect({ clientId: name, ...PERSISTENT }).sessionPresent).toBe(true);
        await Promise.resolve();
        test.time.endTurn();
        expect(client.texts()).toEqual([`${name}=x`, 'both=x']);
      }
    },
  );

  it.each([4, 5] as const)(
    'that is connected already: the older connection goes, level %i [MQTT-3.1.4-3] [v3.1.1 MQTT-3.1.4-2]',
    async (level) => {
      const test = await TestBroker.start();
      const older = test.connect('c', level);
      const newer = test.connect('c', level);
      expect([older.stream.closed, newer.stream.closed]).toEqual([true, false]);
      expect(older.receive()).toMatchObject(level === 5 ? [{ type: PacketType.Disconnect, reasonCode: 0x8e }] : []);
    },
  );
});

describe('the Will', () => {
  it.each([4, 5] as const)(
    'is kept, published once when the connection fails, and gone after that, level %i [MQTT-3.1.2-7] [MQTT-3.1.2-8] [MQTT-3.1.2-10] [MQTT-3.1.2-14] [v3.1.1 MQTT-3.1.2-8] [v3.1.1 MQTT-3.1.2-10] [v3.1.1 MQTT-3.1.2-12] [v3.1.1 MQTT-3.1.2-16]',
    async (level) => {
      const { test, watcher } = await watched();
      const client = test.connect('c', level, { will: WILL, ...PERSISTENT });
      test.time.advance(1_000_000);
      expect(watcher.messages()).toEqual([]);
      client.lose();
      expect(watcher.messages()).toMatchObject([{ topicName: 'w', qos: 1, retain: false }]);
      expect(test.broker.statistics().retainedMessages).toBe(0);
      test.connect('c', level, PERSISTENT).lose();
      test.time.advance(1_000_000);
      expect(watcher.messages()).toEqual([]);
    },
  );

  it.each([4, 5] as const)(
    'with RETAIN is retained, level %i [MQTT-3.1.2-15] [v3.1.1 MQTT-3.1.2-17] [v3.1.1 MQTT-3.1.2-7]',
    async (level) => {
      const { test } = await watched();
      test.connect('c', level, { will: { ...WILL, retain: true } }).lose();
      // No Session of its sender is left, and the Retained Message is.
      expect(test.broker.statistics().sessions).toBe(1);
      const late = test.connect('late', level);
      late.subscribe('w', { qos: 1 });
      expect(late.messages()).toMatchObject([{ topicName: 'w', retain: true, qos: 1 }]);
    },
  );

  it.each([4, 5] as const)(
    'is dropped by a normal DISCONNECT, level %i [MQTT-3.14.4-3] [v3.1.1 MQTT-3.14.4-3] [v3.1.1 MQTT-3.1.2-10]',
    async (level) => {
      const { test, watcher } = await watched();
      test.connect('c', level, { will: WILL }).disconnect();
      test.time.advance(100_000);
      expect(watcher.messages()).toEqual([]);
    },
  );

  it.each([4, 5] as const)(
    'is published when nothing was heard for 1.5 times the Keep Alive, level %i [MQTT-3.1.2-22] [v3.1.1 MQTT-3.1.2-24]',
    async (level) => {
      const { test, watcher } = await watched();
      const client = test.connect('c', level, { will: WILL, keepAlive: 10 });
      test.time.advance(14_900);
      expect(client.stream.closed).toBe(false);
      test.time.advance(500);
      expect(client.stream.closed).toBe(true);
      expect(watcher.messages()).toHaveLength(1);
    },
  );

  it('after DISCONNECT 0x04 waits for its delay like that of a lost connection [O-35]', async () => {
    const { test, watcher } = await watched();
    const will = { ...WILL, properties: { willDelayInterval: 10 } };
    test.connect('c', 5, { ...PERSISTENT, will }).disconnect(4);
    test.time.advance(9_500);
    expect(watcher.messages()).toEqual([]);
    test.time.advance(1_000);
    expect(watcher.messages()).toHaveLength(1);
    test.connect('c', 5, { ...PERSISTENT, will }).disconnect(4);
    test.connect('c', 5, PERSISTENT);
    test.time.advance(60_000);
    expect(watcher.messages()).toEqual([]);
  });
});

describe('enhanced authentication', () => {
  it('is refused for every method with CONNACK 0x8C, then closed, and AUTH is never sent [MQTT-4.12.0-1] [MQTT-4.12.0-4]', async () => {
    const test = await TestBroker.start();
    const client = test.open(5);
    const packet = client.connectPacket({
      properties: { authenticationMethod: 'SCRAM-SHA-256', authenticationData: Uint8Array.from([1]) },
    });
    const auth: Packet = {
      type: PacketType.Auth,
      reasonCode: 0x18,
      properties: { authenticationMethod: 'SCRAM-SHA-256' },
    };
    client.send(packet, auth);
    expect(client.receive()).toMatchObject([{ type: PacketType.Connack, reasonCode: 0x8c }]);
    expect(client.stream.closed).toBe(true);
  });

  it('is not begun by the server, and CONNACK names no method [MQTT-4.12.0-6]', async () => {
    const test = await TestBroker.start();
    const client = test.open(5);
    const connack = client.connect();
    expect(connack.properties).not.toHaveProperty('authenticationMethod');
    expect(client.behindConnack()).toEqual([]);
  });

  it('a second time is answered 0x82 and closed [MQTT-4.12.1-2] [MQTT-4.12.0-7] [MQTT-3.15.2-1] [U-14]', async () => {
    const test = await TestBroker.start();
    const bodies = [[], [0x19, 4, 0x15, 0, 1, 0x6d], [0x18, 0], [0x00, 0], [0x87, 4, 0x15, 0, 1, 0x6d]];
    for (const body of bodies) {
      const client = test.connect('c');
      client.bytes(0xf0, body.length, ...body);
      expect(client.receive()).toMatchObject([{ type: PacketType.Disconnect, reasonCode: 0x82 }]);
      expect(client.stream.closed).toBe(true);
    }
  });

  it('with wrong flags of AUTH is malformed [MQTT-3.15.1-1]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    client.bytes(0xf1, 0);
    expect(client.receive()).toMatchObject([{ type: PacketType.Disconnect, reasonCode: 0x81 }]);
    expect(client.stream.closed).toBe(true);
  });
});
