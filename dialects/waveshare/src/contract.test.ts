import type { DeviceCredentials } from '@moorage/core';
import { connectPacket, connectVia, credentialsRecord, describeDialect, deviceRecord } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { WaveshareDialect } from './dialect.ts';
import { modemPackets, sketchPackets } from './testing/guide-packets.ts';
import { ESP32, MODEM, pubTopic, subTopic, testRegistry } from './testing/test-registry.ts';

const { device: ref, clientId } = MODEM;

const device = deviceRecord(ref, 'waveshare');

const credentials = (password: string | null): DeviceCredentials =>
  credentialsRecord(device, 'WAVESHARE', clientId, {
    clientId,
    pubTopic: pubTopic(MODEM),
    subTopic: subTopic(MODEM),
    password,
  });

const PASSWORD = 'it\'s 1 "secret"';

for (const password of [null, 'secret']) {
  const one = password === null ? MODEM : { ...MODEM, password };
  const connect = connectPacket({
    clientId,
    username: password === null ? null : clientId,
    password: password === null ? null : new TextEncoder().encode(password),
  });
  const registry = testRegistry([one, ESP32]);
  describeDialect(password === null ? 'waveshare' : 'waveshare, with a password', () => ({
    dialect: new WaveshareDialect({ credentials: registry, now: () => 0, sampleResource: true }),
    registry,
    own: {
      connect,
      wrongSecret: password === null ? null : { ...connect, password: new TextEncoder().encode('wrong') },
    },
    topicNames: [pubTopic(MODEM), subTopic(MODEM), subTopic(ESP32), pubTopic(ESP32), 'sensor/1/temperature'],
    topicFilters: ['#', 'Pub/1/37/+', subTopic(MODEM), '$share/g/Pub/#', '$SYS/#'],
    device,
    credentials: [credentials(null), credentials(PASSWORD)],
  }));
}

describe('connection guide', () => {
  const plain = { host: 'iot.example.com', mqttPort: 1883, mqttsPort: 8883, httpPort: 8080 };
  const dialect = new WaveshareDialect({ credentials: testRegistry([MODEM]), now: () => 0, sampleResource: false });
  const guide = (password: string | null = null, endpoint = plain) =>
    dialect.connectionGuide(device, credentials(password), endpoint);
  const text = (title: string, ...of: Parameters<typeof guide>): string =>
    guide(...of).snippets.find((one) => one.title.startsWith(title))?.text ?? '';
  const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');

  it('shows the triple and where to go', () => {
    expect(Object.fromEntries(guide().fields.map(({ name, value }) => [name, value]))).toEqual({
      device: 'modem',
      clientId: '82b52f8b',
      pubTopic: 'Pub/1/37/82b52f8b',
      subTopic: 'Sub/1/37/82b52f8b',
      host: 'iot.example.com',
      port: '1883',
    });
    const password = guide(PASSWORD).fields.find(({ name }) => name === 'password');
    expect(password).toEqual({ name: 'password', value: PASSWORD, secret: true });
  });

  it('WS-39 gives lines that can be pasted into a shell', () => {
    expect(text('mosquitto_pub')).toBe(
      `mosquitto_pub -d -q 1 -h iot.example.com -p 1883 -i 82b52f8b -t Pub/1/37/82b52f8b -m '{"data":{"builtIn":1}}'`,
    );
    expect(text('mosquitto_sub')).toBe(
      'mosquitto_sub -v -q 1 -h iot.example.com -p 1883 -i 82b52f8b -t Sub/1/37/82b52f8b',
    );
    expect(text('mosquitto_sub', PASSWORD)).toContain(`-i 82b52f8b -u 82b52f8b -P 'it'\\''s 1 "secret"'`);
  });

  it('WS-4 the modem that follows the AT commands sends the CONNECT of section 5', () => {
    const commands = text('AT commands');
    expect(commands.split('\n')).toEqual([
      'AT+CMQTTSTART',
      'AT+CMQTTACCQ=0,"82b52f8b",0',
      'AT+CMQTTCONNECT=0,"tcp://iot.example.com:1883",20,1',
      'AT+CMQTTSUB=0,17,1',
      'Sub/1/37/82b52f8b',
      'AT+CMQTTTOPIC=0,17',
      'Pub/1/37/82b52f8b',
      'AT+CMQTTPAYLOAD=0,22',
      '{"data":{"builtIn":1}}',
      'AT+CMQTTPUB=0,1,60',
    ]);
    const { connect, subscribe, publish } = modemPackets(commands);
    expect(hex(connect)).toBe('10 14 00 04 4d 51 54 54 04 02 00 14 00 08 38 32 62 35 32 66 38 62');
    expect(hex(subscribe.subarray(0, 6))).toBe('82 16 00 01 00 11');
    expect(subscribe.at(-1)).toBe(1);
    expect(publish).toHaveLength(2 + 2 + 17 + 2 + 22);
    expect(publish[0]).toBe(0x32);
    const answer = dialect.authenticate(
      connectPacket({ clientId, keepAlive: 20 }),
      connectVia(),
      testRegistry([MODEM]),
    );
    expect(answer.outcome).toBe('accepted');
  });

  it('the sketch connects with its client ID alone, keep-alive 15, and reports on its Pub topic', () => {
    const { connect, subscribe, publish } = sketchPackets(text('Arduino sketch'));
    expect(hex(connect)).toBe('10 14 00 04 4d 51 54 54 04 02 00 0f 00 08 38 32 62 35 32 66 38 62');
    expect(new TextDecoder().decode(subscribe.subarray(6, -1))).toBe('Sub/1/37/82b52f8b');
    expect(subscribe.at(-1)).toBe(0);
    expect(publish[0]).toBe(0x30);
    expect(new TextDecoder().decode(publish.subarray(4))).toBe('Pub/1/37/82b52f8b{"data":{"builtIn":0}}');
  });

  it('a password stands beside a user name wherever it is shown, and not where it could not be typed', () => {
    expect(hex(modemPackets(text('AT commands', 'secret')).connect)).toContain('04 c2 00 14');
    expect(hex(sketchPackets(text('Arduino sketch', 'secret')).connect)).toContain('04 c2 00 0f');
    expect(text('MicroPython', 'secret')).toContain('user="82b52f8b", password="secret"');
    expect(text('AT commands', PASSWORD)).toBe('');
  });

  it('over TLS alone every program speaks TLS', () => {
    const endpoint = { host: '::1', mqttPort: null as never, mqttsPort: 8883, httpPort: 8080 };
    expect(text('AT commands', null, endpoint)).toContain('AT+CMQTTACCQ=0,"82b52f8b",1');
    expect(text('AT commands', null, endpoint)).toContain('"tcp://[::1]:8883"');
    expect(text('Arduino sketch', null, endpoint)).toContain('WiFiClientSecure network;');
    expect(text('MicroPython', null, endpoint)).toContain('ssl=True');
  });

  it('only the Wi-Fi is left to fill in', () => {
    for (const title of ['Arduino sketch', 'MicroPython']) {
      expect(text(title).match(/of your Wi-Fi/g)).toHaveLength(2);
    }
  });
});
