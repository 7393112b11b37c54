import { createHmac } from 'node:crypto';
import { PacketType } from '@moorage/mqtt-codec';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { createLinkDevice, createProduct, type LinkDevice, signed } from '../harness/link-devices.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { RawClient } from '../harness/raw-client.ts';

const server = new MoorageProcess();
const api = new ApiClient(server);
const SECRET = '0123456789abcdef0123456789abcdef';
/** Section 1.3, example A. */
const SIGNATURE = '05128197C288C48E89BE1AD2799AA658E43EC16B05B1683B667E1906D0E5B128';
let lamp: LinkDevice;

beforeAll(async () => {
  await server.start();
  await api.login();
  const product = await createProduct(api, 'lamps', {
    productKey: 'a1b2C3d4E5f',
    thingModel: { services: [{ identifier: 'measure', callType: 'sync' }] },
  });
  lamp = await createLinkDevice(api, product, 'lamp-01', SECRET);
});
afterAll(() => server.dispose());

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
};

/** A packet from its first byte and body, by hand: what the libraries send must not come out of our own encoder. */
function packet(firstByte: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  for (let rest = body.length; ; rest >>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) return Buffer.concat([Buffer.from([firstByte, ...length]), body]);
  }
}

function connectBytes(
  flags: number,
  keepAlive: number,
  parameters: string,
  base = 'a1b2C3d4E5f.lamp-01',
  sign = SIGNATURE,
) {
  const header = Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 4, flags, keepAlive >> 8, keepAlive & 255]);
  return packet(0x10, header, text(`${base}|${parameters}|`), text('lamp-01&a1b2C3d4E5f'), text(sign));
}

const publishBytes = (topic: string, payload: string, packetIdentifier = 0): Buffer =>
  packetIdentifier === 0
    ? packet(0x30, text(topic), Buffer.from(payload))
    : packet(0x32, text(topic), Buffer.from([packetIdentifier >> 8, packetIdentifier & 255]), Buffer.from(payload));

const C3 = [
  ['3.0.1', 'timestamp=2524608000000,_v=sdk-c-3.0.1,securemode=3,signmethod=hmacsha256,lan=C,gw=0,ext=0'],
  ['3.2.0', 'timestamp=2524608000000,_v=sdk-c-3.2.0,securemode=3,signmethod=hmacsha256,lan=C,_ss=1,gw=0,ext=0'],
] as const;

describe('what the C libraries send when they start', () => {
  it.each(C3)('ALI-89 a byte-exact replay of C %s succeeds', async (version, parameters) => {
    const client = await RawClient.open(server.mqttPort, 4);
    const system = '/sys/a1b2C3d4E5f/lamp-01/';
    const info = JSON.stringify({
      id: '0',
      version: '1.0',
      params: [{ attrKey: 'SYS_LP_SDK_VERSION', attrValue: version, domain: 'SYSTEM' }],
      method: 'thing.deviceinfo.update',
    });
    // All of it at once: the libraries do not wait for CONNACK's effects.
    client.write(
      connectBytes(0xc0, 120, parameters),
      publishBytes(`${system}thing/deviceinfo/update`, info, 1),
      publishBytes(
        '/ota/device/inform/a1b2C3d4E5f/lamp-01',
        `{"id":"1","params":{"version":"app-1.0.0-${version}"}}`,
        2,
      ),
      packet(0x82, Buffer.from([0, 3]), text(`${system}thing/event/property/post_reply`), Buffer.from([0])),
    );
    expect((await client.next(PacketType.Connack))?.reasonCode).toBe(0);
    for (const packetIdentifier of [1, 2])
      expect(await client.next(PacketType.Puback, (one) => one.packetIdentifier === packetIdentifier)).toBeDefined();
    expect((await client.next(PacketType.Suback))?.reasonCodes).toEqual([0]);
    const post = '{"id":"3","version":"1.0","params":{"LightSwitch":1},"method":"thing.event.property.post"}';
    client.write(publishBytes(`${system}thing/event/property/post`, post), Buffer.from([0xc0, 0]));
    const reply = await client.next(PacketType.Publish, ({ topicName }) => topicName.endsWith('property/post_reply'));
    expect(JSON.parse(Buffer.from(reply?.payload ?? []).toString())).toMatchObject({ id: '3', code: 200 });
    expect(await client.next(PacketType.Pingresp)).toBeDefined();
    client.write(Buffer.from([0xe0, 0]));
    await client.untilClosed();
    expect(await api.latest(lamp.id, 'LightSwitch')).toMatchObject({ LightSwitch: [{ value: 1 }] });
  });

  it('ALI-90 a byte-exact replay of C 4.2 succeeds and gets a service call by /ext/rrpc', async () => {
    const base = 'lamp-01.a1b2C3d4E5f';
    const content = `clientId${base}deviceNamelamp-01productKeya1b2C3d4E5ftimestamp2524608000000`;
    const sign = createHmac('sha256', SECRET).update(content).digest('hex').toUpperCase();
    const parameters =
      'timestamp=2524608000000,_ss=1,_v=sdk-c-4.2.0,securemode=3,signmethod=hmacsha256,ext=3,_conn=tcp_1';
    const client = await RawClient.open(server.mqttPort, 4);
    client.write(connectBytes(0xc2, 1200, parameters, base, sign));
    expect((await client.next(PacketType.Connack))?.reasonCode).toBe(0);
    const call = api.call('POST', `/api/rpc/twoway/${lamp.id}`, {
      method: 'measure',
      params: { a: 1 },
      timeout: 10_000,
    });
    const request = await client.next(PacketType.Publish, ({ topicName }) => topicName.startsWith('/ext/rrpc/'));
    const topicName = request?.topicName ?? '';
    expect(topicName).toMatch(/^\/ext\/rrpc\/\d+\/sys\/a1b2C3d4E5f\/lamp-01\/thing\/service\/measure$/);
    const { id, method, params } = JSON.parse(Buffer.from(request?.payload ?? []).toString());
    expect({ method, params }).toEqual({ method: 'thing.service.measure', params: { a: 1 } });
    client.write(publishBytes(topicName, `{"id":"${id}","code":200,"data":{"v":7}}`));
    expect(await call).toMatchObject({ status: 200, body: { v: 7 } });
    client.close();
  });

  it('ALI-19 failed log-ins are slowed down without affecting other devices', { timeout: 60_000 }, async () => {
    const present = async (device: LinkDevice): Promise<number | 'slow' | undefined> => {
      const { clientId, username, password } = signed(device);
      const client = await RawClient.open(server.mqttPort, 4);
      const late = new Promise<'slow'>((resolve) => setTimeout(() => resolve('slow'), 1_000));
      const code = await Promise.race([client.connect({ clientId, username, password: Buffer.from(password) }), late]);
      client.close();
      return code;
    };
    const product = await createProduct(api, 'guessed', {});
    const [guessed, other] = [
      await createLinkDevice(api, product, 'guessed-1'),
      await createLinkDevice(api, product, 'other-1'),
    ];
    const wrong = { ...guessed, deviceSecret: 'not the secret' };
    for (let attempt = 0; attempt < 10; attempt++) expect(await present(wrong)).toBe(4);
    expect(await present(wrong)).toBe('slow');
    expect(await present(other)).toBe(0);
  });
});
