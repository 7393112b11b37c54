import { PacketType, type ProtocolLevel, type QoS } from '@moorage/mqtt-codec';
import { deviceRef, type RawClient } from '@moorage/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { modemPackets } from './testing/guide-packets.ts';
import { Harbour } from './testing/harbour.ts';
import { RelayFirmware } from './testing/relay-firmware.ts';
import {
  accountOf,
  ESP32,
  MODEM,
  OTHER_TENANT,
  pubTopic,
  STRANGER,
  subTopic,
  TENANT,
  type TestDevice,
} from './testing/test-registry.ts';

const LEVELS: readonly ProtocolLevel[] = [3, 4, 5];
const PAYLOAD = '{"data":{"builtIn":1}}';
const HOLDING: TestDevice = {
  device: deviceRef(
    { id: 'relay', tenantId: TENANT, name: 'relay' },
    { waveshare: { n2: '45', attributes: [], downlinkMaxPacket: 256, holdLast: true } },
  ),
  clientId: '46ce3503',
  numbers: '59/45',
};

let running: Harbour | null = null;

afterEach(async () => {
  await running?.close();
  running = null;
});

async function harbour(...input: Parameters<typeof Harbour.open>): Promise<Harbour> {
  running = await Harbour.open(...input);
  return running;
}

const everybody = (...accounts: Parameters<typeof accountOf>[0][]) =>
  harbour([ESP32, MODEM, STRANGER, HOLDING], accounts.map(accountOf));

/** What was acknowledged, as `PUBACK 0x0`. */
function acknowledged(client: RawClient): readonly string[] {
  return client
    .receive()
    .flatMap((packet) =>
      packet.type === PacketType.Puback ? [`${packet.packetIdentifier} 0x${packet.reasonCode.toString(16)}`] : [],
    );
}

describe('connections on a broker (section 4.3)', () => {
  it('WS-1, WS-2, WS-3 a client ID is all that a device shows', async () => {
    const { accept } = bound(await everybody());
    for (const level of LEVELS) expect(accept(level).connect({ clientId: '82b52f8b' }).reasonCode).toBe(0);
  });

  it('WS-4 the 22 bytes of the modem', async () => {
    const { accept } = bound(await everybody());
    const { connect } = modemPackets(
      [
        'AT+CMQTTACCQ=0,"82b52f8b",0',
        'AT+CMQTTCONNECT=0,"tcp://iot.example.com:1883",20,1',
        'AT+CMQTTSUB=0,1,1',
        'a',
        'AT+CMQTTTOPIC=0,1',
        'a',
        'AT+CMQTTPAYLOAD=0,1',
        'a',
      ].join('\n'),
    );
    expect(connect).toHaveLength(22);
    const client = accept();
    client.bytes(connect);
    expect(client.receive()).toMatchObject([{ type: PacketType.Connack, reasonCode: 0 }]);
  });

  it('WS-5, WS-6, WS-8 refusals close the connection', async () => {
    const off = { ...ESP32, enabled: 'false' };
    const hardened = { ...MODEM, password: 'secret' };
    const { accept } = bound(await harbour([off, hardened]));
    for (const [clientId, codes] of [
      ['00000000', [2, 2, 0x85]],
      ['', [2, 2, 0x85]],
      ['19ba7e8b', [5, 5, 0x87]],
      ['82b52f8b', [4, 4, 0x86]],
    ] as const) {
      for (const [index, level] of LEVELS.entries()) {
        const client = accept(level, { pinnedDialect: 'waveshare' });
        expect(client.connect({ clientId }).reasonCode).toBe(codes[index]);
        expect(client.stream.ended).toBe(true);
      }
    }
    const login = { username: 'x', password: new TextEncoder().encode('secret') };
    expect(accept().connect({ clientId: '82b52f8b', ...login }).reasonCode).toBe(0);
  });

  it('WS-9 a second connection ends the first, and the device stays online', async () => {
    const scene = await everybody();
    const first = scene.connect(MODEM, 5);
    scene.connect(MODEM, 4);
    await scene.settle();
    expect(first.receive()).toMatchObject([{ type: PacketType.Disconnect, reasonCode: 0x8e }]);
    expect(first.stream.ended).toBe(true);
    expect(scene.online.has('modem')).toBe(true);
  });

  it('WS-10 with keep-alive 15 silence ends the connection after 22.5 s, and the device goes offline', async () => {
    const scene = await everybody();
    const client = scene.connect(MODEM, 4, { keepAlive: 15 });
    scene.time.advance(22_000);
    expect([client.stream.ended, scene.online.has('modem')]).toEqual([false, true]);
    scene.time.advance(8_000);
    await scene.settle();
    expect([client.stream.ended, scene.online.has('modem')]).toEqual([true, false]);
  });

  it('WS-11 with keep-alive 0 an idle connection stays, and the network is asked for the peer', async () => {
    const scene = await everybody();
    const client = scene.connect(MODEM, 4, { keepAlive: 0 });
    scene.time.advance(24 * 60 * 60 * 1000);
    expect(client.stream.ended).toBe(false);
    expect(client.stream.probedAfter).toBe(60);
    client.ping();
    expect(client.receive()).toMatchObject([{ type: PacketType.Pingresp }]);
  });

  it('WS-42 two wrong client IDs a second from one address for 60 s do not delay a device behind it', async () => {
    const scene = await everybody();
    const { accept } = bound(scene);
    const pinned = { pinnedDialect: 'waveshare' };
    let delayed = 0;
    for (let attempt = 0; attempt < 120; attempt++) {
      const guesser = accept(4, pinned);
      guesser.send(guesser.connectPacket({ clientId: 'ffffffff' }));
      if (guesser.receive().length === 0) delayed++;
      const good = accept(4, pinned);
      expect(good.connect({ clientId: '82b52f8b' }).reasonCode).toBe(0);
      good.disconnect();
      scene.time.advance(500);
    }
    // Only the guesses wait, from the eleventh on.
    expect(delayed).toBe(110);
  });

  it('messages above 100 in a second are read later, and none is lost', async () => {
    const scene = await everybody();
    const modem = scene.connect(MODEM);
    const esp32 = scene.connect(ESP32);
    esp32.subscribe('free');
    for (let count = 0; count < 150; count++) modem.publish('free', { payload: String(count) });
    const first = esp32.texts();
    expect(first.length).toBeLessThan(150);
    scene.time.advance(2_000);
    expect([...first, ...esp32.texts()]).toEqual(Array.from({ length: 150 }, (_, count) => `free=${count}`));
  });
});

describe('messages on a broker (section 4.4)', () => {
  it('WS-12, WS-13, WS-14 devices of one owner reach each other byte for byte, and the server copies nothing', async () => {
    for (const level of LEVELS) {
      const scene = await everybody();
      const modem = scene.connect(MODEM, level);
      const esp32 = scene.connect(ESP32, level);
      modem.subscribe('Pub/1/37/19ba7e8b', { qos: 1 });
      esp32.subscribe('Sub/1/37/19ba7e8b');
      const odd = ' {"data" : {"x":"\u00e9\u0001"}}';
      esp32.publish('Pub/1/37/19ba7e8b', { payload: odd });
      expect(modem.texts()).toEqual([`Pub/1/37/19ba7e8b=${odd}`]);
      expect(esp32.texts()).toEqual([]);
      modem.publish('Sub/1/37/19ba7e8b', { payload: odd, qos: 1 });
      expect(esp32.texts()).toEqual([`Sub/1/37/19ba7e8b=${odd}`]);
      expect(modem.texts()).toEqual([]);
      await running?.close();
    }
  });

  it('WS-15, WS-45 another owner hears nothing, whatever it subscribes to', async () => {
    const scene = await everybody();
    const [modem, esp32, stranger] = [scene.connect(MODEM), scene.connect(ESP32), scene.connect(STRANGER)];
    stranger.subscribe(['#', pubTopic(ESP32), 'sensor/1/temperature', '$share/g/#']);
    modem.subscribe('sensor/1/temperature');
    esp32.publish(pubTopic(ESP32), { payload: PAYLOAD, qos: 1 });
    esp32.publish('sensor/1/temperature', { payload: '21' });
    expect(modem.texts()).toEqual(['sensor/1/temperature=21']);
    expect(stranger.texts()).toEqual([]);
  });

  it('WS-16 with a share in place it does, and with a right to write it answers', async () => {
    const shares = ['READ', 'WRITE'].map((access) => ({ deviceId: ESP32.device.id, account: OTHER_TENANT, access }));
    const scene = await everybody({ id: 'account', configuration: { default: true, shares } });
    const [modem, esp32, stranger] = [scene.connect(MODEM), scene.connect(ESP32), scene.connect(STRANGER)];
    stranger.subscribe('#', { qos: 1 });
    modem.subscribe('#');
    esp32.subscribe(subTopic(ESP32));
    esp32.publish(pubTopic(ESP32), { payload: PAYLOAD, qos: 1 });
    expect(stranger.texts()).toEqual([`${pubTopic(ESP32)}=${PAYLOAD}`]);
    expect(modem.texts()).toEqual([`${pubTopic(ESP32)}=${PAYLOAD}`]);
    stranger.publish(subTopic(ESP32), { payload: PAYLOAD, qos: 1, packetIdentifier: 7 });
    expect(acknowledged(stranger)).toEqual(['7 0x0']);
    expect(esp32.texts()).toEqual([`${subTopic(ESP32)}=${PAYLOAD}`]);
    // The message is in the owner's space, not in that of the sender.
    expect(stranger.texts()).toEqual([]);
  });

  it('WS-17, WS-18 what a device may not publish is acknowledged, neither delivered nor stored', async () => {
    const scene = await everybody();
    for (const level of LEVELS) {
      const [modem, esp32] = [scene.connect(MODEM, level), scene.connect(ESP32, level)];
      esp32.subscribe('#', { qos: 1 });
      for (const [index, topicName] of ['Pub/1/37/19ba7e8b', 'Pub/2/37/82b52f8b', 'Sub/1/37/00000000'].entries()) {
        modem.publish(topicName, { payload: PAYLOAD, qos: 1, packetIdentifier: index + 1 });
      }
      const code = level === 5 ? '0x87' : '0x0';
      expect(acknowledged(modem)).toEqual([1, 2, 3].map((identifier) => `${identifier} ${code}`));
      expect(esp32.texts()).toEqual([]);
      expect(modem.stream.ended).toBe(false);
    }
    expect(scene.stored).toEqual([]);
  });

  it('WS-19, WS-26 five filters in one SUBSCRIBE have five answers in order, each as asked', async () => {
    const { connect } = bound(await everybody());
    for (const level of LEVELS) {
      const client = connect(MODEM, level);
      const filters = [pubTopic(ESP32), '$SYS/#', subTopic(MODEM), 'free', '#'];
      client.send({
        type: PacketType.Subscribe,
        packetIdentifier: 5,
        properties: null,
        subscriptions: filters.map((topicFilter, index) => ({
          topicFilter,
          options: { qos: (index % 3) as QoS, noLocal: false, retainAsPublished: false, retainHandling: 0 },
        })),
      });
      const refused = { 3: 1, 4: 0x80, 5: 0x87 }[level];
      expect(client.receive()).toMatchObject([{ type: PacketType.Suback, reasonCodes: [0, refused, 2, 0, 1] }]);
    }
  });

  it('WS-20 delivery at the lower QoS of both', async () => {
    const { connect } = bound(await everybody());
    const [modem, esp32] = [connect(MODEM), connect(ESP32)];
    esp32.subscribe('a', { qos: 0 });
    esp32.subscribe('b', { qos: 2 });
    modem.publish('a', { qos: 1 });
    modem.publish('b', { qos: 1, packetIdentifier: 2 });
    expect(esp32.messages().map(({ topicName, qos }) => [topicName, qos])).toEqual([
      ['a', 0],
      ['b', 1],
    ]);
  });

  it('WS-21, WS-22 a message is for those who are there, a retained one for those who come, until it is cleared', async () => {
    const { connect } = bound(await everybody());
    const [modem, esp32] = [connect(MODEM), connect(ESP32)];
    esp32.publish(pubTopic(ESP32), { payload: 'gone', qos: 1 });
    modem.subscribe(pubTopic(ESP32));
    expect(modem.texts()).toEqual([]);
    esp32.publish(pubTopic(ESP32), { payload: 'kept', retain: true });
    expect(modem.texts()).toEqual([`${pubTopic(ESP32)}=kept`]);
    modem.subscribe(pubTopic(ESP32));
    expect(modem.messages()).toMatchObject([{ topicName: pubTopic(ESP32), retain: true }]);
    esp32.publish(pubTopic(ESP32), { payload: '', retain: true });
    modem.texts();
    modem.subscribe(pubTopic(ESP32));
    expect(modem.texts()).toEqual([]);
  });

  it('WS-23 a Session that is kept gets what was sent meanwhile, and 1,000 messages at most', async () => {
    const scene = await everybody();
    const esp32 = scene.connect(ESP32, 4, { cleanStart: false });
    esp32.subscribe(subTopic(ESP32), { qos: 1 });
    esp32.lose();
    const modem = scene.connect(MODEM);
    for (let count = 0; count < 1_010; count++) {
      modem.publish(subTopic(ESP32), { payload: String(count), qos: 1, packetIdentifier: 1 + (count % 1000) });
      scene.time.advance(100);
    }
    await scene.settle();
    const back = scene.accept();
    expect(back.connect({ clientId: '19ba7e8b', cleanStart: false }).sessionPresent).toBe(true);
    const received: string[] = [];
    for (let more = await delivered(scene, back); more.length > 0; more = await delivered(scene, back))
      received.push(...more);
    expect(received).toHaveLength(1_000);
    expect(received[0]).toBe(`${subTopic(ESP32)}=10`);
    expect(received.at(-1)).toBe(`${subTopic(ESP32)}=1009`);
  });

  it('WS-24 members of a group share messages, each of which goes to one of them', async () => {
    const scene = await everybody();
    for (const level of LEVELS) {
      const [modem, relay, esp32] = [scene.connect(MODEM, level), scene.connect(HOLDING, level), scene.connect(ESP32)];
      for (const member of [modem, relay]) member.subscribe('$share/g/Pub/1/37/+');
      for (let count = 0; count < 100; count++) esp32.publish(pubTopic(ESP32), { payload: String(count) });
      const [one, two] = [modem.texts(), relay.texts()];
      expect(one.length + two.length).toBe(100);
      expect(new Set([...one, ...two]).size).toBe(100);
      expect(Math.min(one.length, two.length)).toBeGreaterThan(20);
      scene.time.advance(60_000);
    }
  });

  it('WS-25 1,000 messages of two publishers arrive in the order in which they came', async () => {
    const scene = await everybody();
    const [modem, relay, esp32] = [scene.connect(MODEM), scene.connect(HOLDING), scene.connect(ESP32)];
    esp32.subscribe(subTopic(ESP32));
    const sent: string[] = [];
    const received: string[] = [];
    for (let count = 0; count < 500; count++) {
      for (const [name, client] of [
        ['modem', modem],
        ['relay', relay],
      ] as const) {
        client.publish(subTopic(ESP32), { payload: `${name} ${count}` });
        sent.push(`${subTopic(ESP32)}=${name} ${count}`);
      }
      scene.time.advance(60);
      received.push(...esp32.texts());
    }
    expect(received).toEqual(sent);
  });

  it('WS-27 UNSUBSCRIBE is acknowledged and ends delivery', async () => {
    const { connect } = bound(await everybody());
    const [modem, esp32] = [connect(MODEM, 5), connect(ESP32)];
    modem.subscribe(pubTopic(ESP32));
    expect(modem.unsubscribe(pubTopic(ESP32), 'never')).toEqual([0, 0x11]);
    esp32.publish(pubTopic(ESP32), { payload: PAYLOAD });
    expect(modem.texts()).toEqual([]);
  });

  it('WS-28, WS-29, WS-31 values are stored and messages forwarded, whether or not anybody hears them', async () => {
    const scene = await everybody();
    const esp32 = scene.connect(ESP32);
    for (const payload of ['{"data":{"a":1,"b":2.5}}', '{"ID":"19ba7e8b"}', 'text']) {
      esp32.publish(pubTopic(ESP32), { payload, qos: 1 });
    }
    await scene.settle();
    expect(scene.stored).toEqual([
      'telemetry esp32 a,b',
      'CLIENT esp32 lastReceived',
      'CLIENT esp32 lastReceived',
      'telemetry esp32 raw',
      'CLIENT esp32 lastReceived',
    ]);
  });

  it('a Will on the Pub topic is stored and heard, one on another device’s is refused at CONNECT', async () => {
    const scene = await everybody();
    const modem = scene.connect(MODEM);
    modem.subscribe('#');
    const will = (topicName: string) => ({
      topicName,
      payload: new TextEncoder().encode('{"data":{"online":0}}'),
      qos: 0 as const,
      retain: false,
      properties: null,
    });
    scene.connect(ESP32, 4, { will: will(pubTopic(ESP32)) }).lose();
    await scene.settle();
    expect(modem.texts()).toEqual([`${pubTopic(ESP32)}={"data":{"online":0}}`]);
    expect(scene.stored).toContain('telemetry esp32 online');
    const forger = scene.accept();
    expect(forger.connect({ clientId: HOLDING.clientId, will: will(pubTopic(ESP32)) }).reasonCode).toBe(5);
  });
});

describe('commands on a broker (section 4.6)', () => {
  it('WS-33, WS-34, WS-48 a relay board switches, and everybody in the space hears it', async () => {
    const scene = await everybody();
    const [relay, modem] = [scene.connect(HOLDING), scene.connect(MODEM)];
    const firmware = new RelayFirmware(8, subTopic(HOLDING));
    const act = (): number => {
      const messages = relay.messages();
      for (const { topicName, payload } of messages) firmware.receive(topicName, payload);
      return messages.length;
    };
    relay.subscribe(subTopic(HOLDING));
    modem.subscribe('Sub/#', { qos: 1 });
    expect(await scene.call(HOLDING, 'ALL', '1')).toEqual({ kind: 'routed', receivers: 2 });
    expect(act()).toBe(1);
    scene.time.advance(50);
    await scene.call(HOLDING, 'set', '{"CH8":false,"CH1":false}');
    expect(act()).toBe(1);
    expect(firmware.relays).toEqual([true, true, true, true, true, true, true, false]);
    scene.time.advance(49);
    expect(act()).toBe(0);
    scene.time.advance(1);
    expect(act()).toBe(1);
    expect(firmware.relays[0]).toBe(false);
    expect(modem.messages().map(({ qos, retain }) => [qos, retain])).toEqual(Array(3).fill([1, false]));
  });

  it('WS-35 a packet that the firmware could not take is not sent', async () => {
    const scene = await everybody();
    const relay = scene.connect(HOLDING);
    relay.subscribe(subTopic(HOLDING));
    const text = 'x'.repeat(216);
    expect(await scene.call(HOLDING, 's', JSON.stringify(`${text}x`))).toEqual({ kind: 'tooLarge' });
    expect(relay.stream.writes.at(-1)?.length).not.toBe(257);
    const before = relay.stream.writes.length;
    expect(await scene.call(HOLDING, 's', JSON.stringify(text))).toEqual({ kind: 'routed', receivers: 1 });
    expect(relay.stream.writes.slice(before).map(({ length }) => length)).toEqual([256]);
  });

  it('WS-37 nobody there: 0 receivers, and nothing comes later', async () => {
    const scene = await everybody();
    expect(await scene.call(ESP32, 'builtIn', '1')).toEqual({ kind: 'routed', receivers: 0 });
    const esp32 = scene.connect(ESP32);
    esp32.subscribe(subTopic(ESP32), { qos: 1 });
    await scene.settle();
    expect(esp32.texts()).toEqual([]);
  });

  it('WS-38 what is held comes right behind SUBACK', async () => {
    const scene = await everybody();
    await scene.call(HOLDING, 'set', '{"CH1":true,"CH2":true}');
    await scene.call(HOLDING, 'CH1', 'false');
    const relay = scene.connect(HOLDING);
    relay.subscribe(subTopic(HOLDING));
    await scene.settle();
    expect(relay.receive().map(({ type }) => type)).toEqual([
      PacketType.Suback,
      PacketType.Publish,
      PacketType.Publish,
    ]);
    const again = scene.connect(HOLDING);
    again.subscribe(subTopic(HOLDING));
    await scene.settle();
    expect(again.texts()).toEqual([
      `${subTopic(HOLDING)}={"data":{"CH2":1}}`,
      `${subTopic(HOLDING)}={"data":{"CH1":0}}`,
    ]);
  });
});

/** Methods of a harbour as functions. */
function bound(scene: Harbour): Pick<Harbour, 'accept' | 'connect'> {
  return { accept: scene.accept.bind(scene), connect: scene.connect.bind(scene) };
}

/** Texts that have come, each acknowledged. */
async function delivered(scene: Harbour, client: RawClient): Promise<readonly string[]> {
  await scene.settle();
  const packets = [...client.behindConnack(), ...client.receive()];
  const texts: string[] = [];
  for (const packet of packets) {
    if (packet.type !== PacketType.Publish) continue;
    texts.push(`${packet.topicName}=${new TextDecoder().decode(packet.payload)}`);
    if (packet.qos === 1) client.acknowledge(PacketType.Puback, packet.packetIdentifier);
  }
  return texts;
}
