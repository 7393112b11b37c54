import { type Packet, PacketType, type ProtocolLevel } from '@moorage/mqtt-codec';
import { type RawClient, TestBroker } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';

/** What a client sees after its bytes: packets, and whether the connection is closed. */
interface Seen {
  readonly packets: Packet[];
  readonly closed: boolean;
}

/** Five-level cells name a Reason Code of DISCONNECT, `close`, or packets; three-level ones `close` or packets. */
type Cell = number | 'close' | readonly object[];

interface Row {
  readonly title: string;
  /** Brings the connection into the state of the row. */
  readonly before?: (client: RawClient, test: TestBroker) => void;
  readonly bytes3: readonly number[];
  readonly bytes5?: readonly number[];
  readonly on3: Cell;
  readonly on5: Cell;
  /** The Will is published: false only where a normal DISCONNECT drops it, undefined where the connection stays. */
  readonly will?: boolean;
}

const puback = (packetIdentifier: number, reasonCode = 0) =>
  ({ type: PacketType.Puback, packetIdentifier, reasonCode }) as const;
const pubrec = (packetIdentifier: number, reasonCode = 0) =>
  ({ type: PacketType.Pubrec, packetIdentifier, reasonCode }) as const;
const pubrel = (packetIdentifier: number, reasonCode = 0) =>
  ({ type: PacketType.Pubrel, packetIdentifier, reasonCode }) as const;
const pubcomp = (packetIdentifier: number, reasonCode = 0) =>
  ({ type: PacketType.Pubcomp, packetIdentifier, reasonCode }) as const;

/** Our QoS 1 or 2 PUBLISH with identifier 1 is under way. */
function pushed(qos: 1 | 2) {
  return (_client: RawClient, test: TestBroker) => {
    test.handler.connection?.push('p', new Uint8Array(1), qos);
    test.time.endTurn();
  };
}

function received(packetIdentifier: number) {
  return (client: RawClient) => client.publish('t', { qos: 2, packetIdentifier });
}

/** The commit of a PUBLISH with identifier 9 never comes. */
function pending(qos: 1 | 2) {
  return (client: RawClient, test: TestBroker) => {
    test.handler.onPublish = (_message, token) => {
      token.hold();
      return { route: false, reasonCode: 0, close: null };
    };
    client.publish('t', { qos, packetIdentifier: 9 });
    test.handler.onPublish = null;
  };
}

const NO_PACKETS: readonly object[] = [];

const ROWS: readonly Row[] = [
  { title: 'type 0 [MQTT 2.1.2] [K-62]', bytes3: [0x00, 0], on3: 'close', on5: 0x81, will: true },
  {
    title: 'CONNECT [MQTT-3.1.0-2]',
    bytes3: [0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 1, 0x61],
    on3: 'close',
    on5: 0x82,
    will: true,
  },
  { title: 'CONNACK [K-62]', bytes3: [0x20, 2, 0, 0], bytes5: [0x20, 1, 0], on3: 'close', on5: 0x82, will: true },
  { title: 'SUBACK, its body not parsed', bytes3: [0x90, 1, 0], on3: 'close', on5: 0x82, will: true },
  { title: 'UNSUBACK', bytes3: [0xb0, 2, 0, 1], on3: 'close', on5: 0x82, will: true },
  { title: 'PINGRESP', bytes3: [0xd0, 0], on3: 'close', on5: 0x82, will: true },
  {
    title: 'PUBLISH QoS 0',
    bytes3: [0x30, 3, 0, 1, 0x74],
    bytes5: [0x30, 4, 0, 1, 0x74, 0],
    on3: NO_PACKETS,
    on5: NO_PACKETS,
  },
  {
    title: 'PUBLISH QoS 1, identifier free [MQTT-4.3.2-4] [O-6]',
    bytes3: [0x32, 5, 0, 1, 0x74, 0, 5],
    bytes5: [0x32, 6, 0, 1, 0x74, 0, 5, 0],
    on3: [puback(5)],
    on5: [puback(5, 0x10)],
  },
  {
    title: 'PUBLISH QoS 2, identifier free [MQTT-4.3.3-8] [O-6]',
    bytes3: [0x34, 5, 0, 1, 0x74, 0, 5],
    bytes5: [0x34, 6, 0, 1, 0x74, 0, 5, 0],
    on3: [pubrec(5)],
    on5: [pubrec(5)],
  },
  {
    title: 'PUBLISH QoS 2, identifier held [MQTT-4.3.3-10]',
    before: received(5),
    bytes3: [0x34, 5, 0, 1, 0x74, 0, 5],
    bytes5: [0x34, 6, 0, 1, 0x74, 0, 5, 0],
    on3: [pubrec(5)],
    on5: [pubrec(5)],
  },
  {
    title: 'PUBLISH QoS 1 again with DUP 1 while its commit is pending [O-29]',
    before: pending(1),
    bytes3: [0x3a, 5, 0, 1, 0x74, 0, 9],
    bytes5: [0x3a, 6, 0, 1, 0x74, 0, 9, 0],
    on3: NO_PACKETS,
    on5: NO_PACKETS,
  },
  {
    title: 'PUBLISH QoS 2 again with DUP 1 while its commit is pending [O-29]',
    before: pending(2),
    bytes3: [0x3c, 5, 0, 1, 0x74, 0, 9],
    bytes5: [0x3c, 6, 0, 1, 0x74, 0, 9, 0],
    on3: NO_PACKETS,
    on5: NO_PACKETS,
  },
  {
    title: 'PUBLISH QoS 1 with DUP 0 and an identifier whose commit is pending [O-29]',
    before: pending(1),
    bytes3: [0x32, 5, 0, 1, 0x74, 0, 9],
    bytes5: [0x32, 6, 0, 1, 0x74, 0, 9, 0],
    on3: 'close',
    on5: 0x82,
    will: true,
  },
  {
    title: 'PUBLISH, identifier 0 [MQTT-2.2.1-3]',
    bytes3: [0x32, 5, 0, 1, 0x74, 0, 0],
    bytes5: [0x32, 6, 0, 1, 0x74, 0, 0, 0],
    on3: 'close',
    on5: 0x82,
    will: true,
  },
  {
    title: 'PUBLISH with an empty Topic Name and no alias [U-6] [K-62]',
    bytes3: [0x30, 2, 0, 0],
    bytes5: [0x30, 3, 0, 0, 0],
    on3: 'close',
    on5: 0x82,
    will: true,
  },
  { title: 'PUBACK for our QoS 1', before: pushed(1), bytes3: [0x40, 2, 0, 1], on3: NO_PACKETS, on5: NO_PACKETS },
  {
    title: 'PUBREC for our QoS 2 [MQTT-4.3.3-4]',
    before: pushed(2),
    bytes3: [0x50, 2, 0, 1],
    on3: [pubrel(1)],
    on5: [pubrel(1)],
  },
  {
    title: 'PUBREC of 0x80 and more: done, no PUBREL [MQTT-4.4.0-2] [K-27]',
    before: pushed(2),
    bytes3: [0x50, 2, 0, 1],
    bytes5: [0x50, 3, 0, 1, 0x80],
    on3: [pubrel(1)],
    on5: NO_PACKETS,
  },
  {
    title: 'PUBREC again after PUBREL',
    before: (client, test) => {
      pushed(2)(client, test);
      client.acknowledge(5, 1);
    },
    bytes3: [0x50, 2, 0, 1],
    on3: [pubrel(1)],
    on5: [pubrel(1)],
  },
  {
    title: 'PUBREL for a held identifier [MQTT-4.3.3-11]',
    before: received(7),
    bytes3: [0x62, 2, 0, 7],
    on3: [pubcomp(7)],
    on5: [pubcomp(7)],
  },
  {
    title: 'PUBCOMP for our PUBREL',
    before: (client, test) => {
      pushed(2)(client, test);
      client.acknowledge(5, 1);
    },
    bytes3: [0x70, 2, 0, 1],
    on3: NO_PACKETS,
    on5: NO_PACKETS,
  },
  {
    title: 'PUBACK where PUBREC is due [K-28]',
    before: pushed(2),
    bytes3: [0x40, 2, 0, 1],
    on3: 'close',
    on5: 0x82,
    will: true,
  },
  {
    title: 'PUBACK where PUBCOMP is due [K-28]',
    before: (client, test) => {
      pushed(2)(client, test);
      client.acknowledge(5, 1);
    },
    bytes3: [0x40, 2, 0, 1],
    on3: 'close',
    on5: 0x82,
    will: true,
  },
  {
    title: 'PUBREC where PUBACK is due [K-28]',
    before: pushed(1),
    bytes3: [0x50, 2, 0, 1],
    on3: 'close',
    on5: 0x82,
    will: true,
  },
  {
    title: 'PUBCOMP where PUBACK is due [K-28]',
    before: pushed(1),
    bytes3: [0x70, 2, 0, 1],
    on3: 'close',
    on5: 0x82,
    will: true,
  },
  {
    title: 'PUBCOMP where PUBREC is due',
    before: pushed(2),
    bytes3: [0x70, 2, 0, 1],
    on3: 'close',
    on5: 0x82,
    will: true,
  },
  { title: 'PUBACK, identifier unknown', bytes3: [0x40, 2, 0, 77], on3: NO_PACKETS, on5: NO_PACKETS },
  { title: 'PUBCOMP, identifier unknown', bytes3: [0x70, 2, 0, 77], on3: NO_PACKETS, on5: NO_PACKETS },
  { title: 'PUBREC, identifier unknown', bytes3: [0x50, 2, 0, 77], on3: [pubrel(77)], on5: [pubrel(77, 0x92)] },
  { title: 'PUBREL, identifier unknown', bytes3: [0x62, 2, 0, 77], on3: [pubcomp(77)], on5: [pubcomp(77, 0x92)] },
  {
    title: 'PUBREL before its PUBREC',
    before: pending(2),
    bytes3: [0x62, 2, 0, 9],
    on3: 'close',
    on5: 0x82,
    will: true,
  },
  { title: 'PUBACK, identifier 0', bytes3: [0x40, 2, 0, 0], on3: 'close', on5: 0x82, will: true },
  { title: 'PUBREC, identifier 0', bytes3: [0x50, 2, 0, 0], on3: 'close', on5: 0x82, will: true },
  { title: 'PUBREL, identifier 0', bytes3: [0x62, 2, 0, 0], on3: 'close', on5: 0x82, will: true },
  { title: 'PUBCOMP, identifier 0', bytes3: [0x70, 2, 0, 0], on3: 'close', on5: 0x82, will: true },
  {
    title: 'PUBACK with a code not of its list [MQTT-3.4.2-1]',
    before: pushed(1),
    bytes3: [0x40, 3, 0, 1, 0x92],
    on3: 'close',
    on5: 0x82,
    will: true,
  },
  {
    title: 'SUBSCRIBE [MQTT-3.8.4-1]',
    bytes3: [0x82, 6, 0, 3, 0, 1, 0x74, 1],
    bytes5: [0x82, 7, 0, 3, 0, 0, 1, 0x74, 1],
    on3: [{ type: PacketType.Suback, packetIdentifier: 3, reasonCodes: [1] }],
    on5: [{ type: PacketType.Suback, packetIdentifier: 3, reasonCodes: [1] }],
  },
  {
    title: 'UNSUBSCRIBE [MQTT-3.10.4-4]',
    bytes3: [0xa2, 5, 0, 3, 0, 1, 0x74],
    bytes5: [0xa2, 6, 0, 3, 0, 0, 1, 0x74],
    on3: [{ type: PacketType.Unsuback, packetIdentifier: 3, reasonCodes: [] }],
    on5: [{ type: PacketType.Unsuback, packetIdentifier: 3, reasonCodes: [0x11] }],
  },
  {
    title: 'PINGREQ [MQTT-3.12.4-1]',
    bytes3: [0xc0, 0],
    on3: [{ type: PacketType.Pingresp }],
    on5: [{ type: PacketType.Pingresp }],
  },
  { title: 'DISCONNECT [MQTT-3.14.4-3]', bytes3: [0xe0, 0], on3: 'close', on5: 'close', will: false },
  { title: 'DISCONNECT 0x04 [MQTT-3.14.4-3] [K-7]', bytes3: [0xe0, 1, 4], on3: 'close', on5: 'close', will: true },
  {
    title: 'DISCONNECT with a code a client may not send',
    bytes3: [0xe0, 1, 0x8e],
    on3: 'close',
    on5: 'close',
    will: true,
  },
  { title: 'DISCONNECT that is malformed', bytes3: [0xe1, 0], on3: 'close', on5: 0x81, will: true },
  { title: 'AUTH [MQTT-4.12.0-7]', bytes3: [0xf0, 0], on3: 'close', on5: 0x82, will: true },
  { title: 'wrong flags of PINGREQ [MQTT-2.1.3-1]', bytes3: [0xc1, 0], on3: 'close', on5: 0x81, will: true },
  {
    title: 'wrong flags of SUBSCRIBE [MQTT-3.8.1-1]',
    bytes3: [0x80, 6, 0, 3, 0, 1, 0x74, 1],
    on3: 'close',
    on5: 0x81,
    will: true,
  },
  { title: 'wrong flags of PUBREL [MQTT-3.6.1-1]', bytes3: [0x60, 2, 0, 1], on3: 'close', on5: 0x81, will: true },
  { title: 'QoS 3 [MQTT-3.3.1-4]', bytes3: [0x36, 5, 0, 1, 0x74, 0, 5], on3: 'close', on5: 0x81, will: true },
  { title: 'a body too short [MQTT 1.2]', bytes3: [0x40, 1, 0], on3: 'close', on5: 0x81, will: true },
  { title: 'a body too long [MQTT 1.2]', bytes3: [0xc0, 1, 0], on3: 'close', on5: 0x81, will: true },
  {
    title: 'a fifth byte of Remaining Length',
    bytes3: [0x30, 0xff, 0xff, 0xff, 0xff, 1],
    on3: 'close',
    on5: 0x81,
    will: true,
  },
  {
    title: 'a packet above the limit, before its body [U-13]',
    bytes3: [0x30, 0x80, 0x80, 0x80, 1],
    on3: 'close',
    on5: 0x95,
    will: true,
  },
];

const WILL = { topicName: 'will', payload: new Uint8Array(1), qos: 0, retain: false, properties: null } as const;

async function run(row: Row, level: ProtocolLevel): Promise<Seen & { readonly willSeen: boolean }> {
  const test = await TestBroker.start();
  const watcher = test.connect('watcher');
  watcher.subscribe('will');
  const client = test.connect('client', level, { will: WILL });
  row.before?.(client, test);
  client.receive();
  watcher.receive();
  client.bytes(...(level === 5 ? (row.bytes5 ?? row.bytes3) : row.bytes3));
  const seen = { packets: client.receive(), closed: client.stream.closed, willSeen: watcher.messages().length > 0 };
  expect(test.observer.faults).toEqual([]);
  return seen;
}

function check(seen: Seen, cell: Cell): void {
  if (typeof cell === 'number') {
    expect(seen.packets).toMatchObject([{ type: PacketType.Disconnect, reasonCode: cell }]);
    expect(seen.closed).toBe(true);
  } else if (cell === 'close') {
    expect(seen).toMatchObject({ packets: [], closed: true });
  } else {
    expect(seen.packets).toMatchObject(cell);
    expect(seen.packets).toHaveLength(cell.length);
    expect(seen.closed).toBe(false);
  }
}

describe('state K: every packet', () => {
  for (const row of ROWS) {
    for (const level of [3, 4, 5] as const) {
      // O-31: 3.1 has no body of DISCONNECT either, and its first bytes are read like those of 3.1.1.
      it(`${row.title}, level ${level}`, async () => {
        const seen = await run(row, level);
        check(seen, level === 5 ? row.on5 : row.on3);
        if (row.will !== undefined) expect(seen.willSeen).toBe(row.will);
      });
    }
  }
});

describe('state X: after the end', () => {
  it.each([3, 4, 5] as const)('reads nothing behind DISCONNECT, level %i [MQTT-3.14.4-1]', async (level) => {
    const test = await TestBroker.start();
    const client = test.connect('c', level);
    const { handler } = test;
    client.send({ type: PacketType.Disconnect, reasonCode: 0, properties: null }, client.publishPacket('t'), {
      type: PacketType.Pingreq,
    });
    expect(client.receive()).toEqual([]);
    expect(handler.events).toEqual(['opened', 'closed']);
    expect(handler.closings).toMatchObject([{ by: 'client', reasonCode: 0 }]);
  });

  it('reads nothing behind a packet that ended the connection', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    client.bytes(0xd0, 0, 0xc0, 0, 0x30, 4, 0, 1, 0x74, 0);
    expect(client.receive()).toMatchObject([{ type: PacketType.Disconnect, reasonCode: 0x82 }]);
    expect(test.handler.events).toEqual(['opened', 'closed']);
  });

  it('reads nothing of a client that was taken over while its last packet waits', async () => {
    const test = await TestBroker.start();
    const older = test.connect('c');
    older.stream.stalled = true;
    test.connect('c');
    expect(older.stream.closed).toBe(false);
    older.ping();
    older.stream.drain();
    expect(older.receive()).toMatchObject([{ type: PacketType.Disconnect, reasonCode: 0x8e }]);
  });
});
