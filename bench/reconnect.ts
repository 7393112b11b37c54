import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PacketType } from '@moorage/mqtt-codec';
import { ApiClient } from '../test/harness/api-client.ts';
import { createLinkDevice, createProduct, type LinkDevice, signed } from '../test/harness/link-devices.ts';
import { MoorageProcess } from '../test/harness/moorage-process.ts';
import { RawClient } from '../test/harness/raw-client.ts';

/**
 * 10,000 Link devices that come back at once after the server was killed, with clean session 0, as one JSON line: how long
 * until the last one is online, whether their subscriptions hold without SUBSCRIBE, and how another client's PINGREQ fares
 * meanwhile, which waits for the event loop. The server has core 0, everything else core 1.
 */
const DEVICES = Number(process.env.BENCH_DEVICES ?? 10_000);
const AT_ONCE = 16;
/** Devices that are sent a message afterwards. */
const PROBED = 200;
const pinger = fileURLToPath(new URL('../test/harness/pinger.child.ts', import.meta.url));

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
};

function packet(first: number, body: Buffer): Buffer {
  const head = [first];
  for (let rest = body.length; ; rest >>= 7) {
    head.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) return Buffer.concat([Buffer.from(head), body]);
  }
}

/** CONNECT of 3.1.1 with user name and password, clean session 0, keep-alive 300. */
function connectBytes(device: LinkDevice): Buffer {
  const { clientId, username, password } = signed(device, { more: ',_ss=0' });
  const header = Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0xc0, 1, 0x2c]);
  return packet(0x10, Buffer.concat([header, text(clientId), text(username), text(password)]));
}

/** A device that connects, tells of its CONNACK and counts what it is sent. */
class Device {
  readonly #socket: Socket;
  readonly connack: Promise<Buffer>;
  messages = 0;
  #told: (message: null) => void = () => {};

  constructor(port: number, bytes: Buffer) {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    this.connack = promise;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('error', reject);
    this.#socket.on('connect', () => this.#socket.write(bytes));
    this.#socket.on('data', (chunk) => {
      const bytes = chunk as Buffer;
      if (bytes[0] === 0x20) resolve(bytes.subarray(0, 4));
      if (bytes.includes(0x32) || bytes.includes(0x30)) {
        this.messages++;
        this.#told(null);
      }
    });
  }

  next(): Promise<null> {
    return new Promise((resolve) => {
      this.#told = resolve;
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

async function createDevices(api: ApiClient): Promise<LinkDevice[]> {
  const product = await createProduct(api, 'storm');
  const devices: LinkDevice[] = [];
  let next = 0;
  const create = async (): Promise<void> => {
    for (let index = next++; index < DEVICES; index = next++)
      devices[index] = await createLinkDevice(api, product, `storm-${index}`, `secret-${index}`);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, create));
  return devices;
}

async function subscribe(port: number, device: LinkDevice): Promise<void> {
  const { clientId, username, password } = signed(device, { more: ',_ss=0' });
  const client = await RawClient.open(port, 4);
  const code = await client.connect({ clientId, username, password: Buffer.from(password), cleanStart: false });
  if (code !== 0) throw new Error(`refused with ${code}`);
  const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  client.write({
    type: PacketType.Subscribe,
    packetIdentifier: 1,
    subscriptions: [{ topicFilter: `/${device.productKey}/${device.deviceName}/user/get`, options }],
    properties: null,
  });
  const suback = await client.next(PacketType.Suback);
  if (suback?.reasonCodes[0] !== 1) throw new Error(`SUBACK ${suback?.reasonCodes}`);
  client.close();
}

const server = new MoorageProcess({ wrapper: ['taskset', '-c', '0'] });
try {
  await server.start();
  const api = new ApiClient(server);
  await api.login();
  await api.createDevice('pinger', 'PINGER');
  const devices = await createDevices(api);
  for (let from = 0; from < DEVICES; from += 100)
    await Promise.all(devices.slice(from, from + 100).map((device) => subscribe(server.mqttPort, device)));
  const packets = devices.map(connectBytes);
  await server.kill();
  await server.start();
  await api.login();
  const child = spawn(process.execPath, [pinger, String(server.mqttPort), 'PINGER'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  await lines.next();
  const begin = performance.now();
  const back = packets.map((bytes) => new Device(server.mqttPort, bytes));
  const connacks = await Promise.all(back.map((device) => device.connack));
  const onlineMs = performance.now() - begin;
  child.stdin.write('\n');
  const pings = JSON.parse((await lines.next()).value as string) as { pings: number; p99: number };
  const present = connacks.filter((bytes) => bytes[2] === 1 && bytes[3] === 0).length;
  let live = 0;
  for (let index = 0; index < PROBED; index++) {
    const at = Math.floor((index * DEVICES) / PROBED);
    const [device, connection] = [devices[at], back[at]];
    if (device === undefined || connection === undefined) continue;
    const arrived = connection.next();
    const topic = `/${device.productKey}/${device.deviceName}/user/get`;
    const sent = await api.call('POST', `/api/device/${device.id}/publish`, {
      topic,
      payload: 'x',
      qos: 1,
      retain: false,
    });
    if (sent.status !== 200) throw new Error(sent.text);
    await arrived;
    live += Number(connection.messages === 1);
  }
  console.log(
    JSON.stringify({
      case: 'reconnect',
      devices: DEVICES,
      allOnlineMs: Math.round(onlineMs),
      sessionsPresent: present,
      probed: PROBED,
      subscriptionsLive: live,
      pings: pings.pings,
      pingP99Ms: Number(pings.p99.toFixed(1)),
    }),
  );
  child.kill();
  for (const device of back) device.close();
} finally {
  await server.dispose();
}
