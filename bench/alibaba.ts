import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { AlibabaDialect } from '@moorage/dialect-alibaba';
import { ApiClient } from '../test/harness/api-client.ts';
import { createLinkDevice, createProduct, type LinkDevice, signed } from '../test/harness/link-devices.ts';
import { MoorageProcess } from '../test/harness/moorage-process.ts';
import { median } from './load-generator.ts';

/**
 * What Link devices cost, as one JSON line: `taskset -c 1 node bench/alibaba.ts`. The check of a signature by itself;
 * property posts with QoS 1, each answered by a reply with QoS 1 that the device acknowledges, beside ThingsBoard
 * telemetry of the same three values, which is answered by PUBACK alone. Same client, same server, alternating runs,
 * medians. The server has core 0.
 */
const DEVICES = 50;
const WINDOW = 10;
const SECONDS = Number(process.env.BENCH_SECONDS ?? 3);
const RUNS = Number(process.env.BENCH_RUNS ?? 3);
const SIGNATURES = 100_000;
/** Linux counts CPU time in hundredths of a second. */
const TICKS = 100;

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}

function packet(first: number, body: Buffer): Buffer {
  const head = [first];
  for (let rest = body.length; ; ) {
    const digit = rest % 128;
    rest = Math.floor(rest / 128);
    head.push(rest > 0 ? digit | 128 : digit);
    if (rest === 0) break;
  }
  return Buffer.concat([Buffer.from(head), body]);
}

/** Sends the next message when one is answered, so that a window of them is always under way. */
class Sender {
  readonly #socket: Socket;
  readonly #topic: Buffer;
  readonly #payload: string;
  readonly #answeredBy: number;
  #rest: Buffer = Buffer.alloc(0);
  #identifier = 0;
  #connected: (() => void) | null = null;
  #sending = false;
  answered = 0;

  /** `answeredBy`: the type of the packet that answers, PUBLISH (3) or PUBACK (4). */
  constructor(port: number, login: Buffer, topic: string, payload: string, answeredBy: number) {
    this.#topic = text(topic);
    this.#payload = payload;
    this.#answeredBy = answeredBy;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk) => this.#read(chunk as Buffer));
    this.#socket.on('error', (error) => {
      throw error;
    });
    this.#socket.write(packet(0x10, login));
  }

  connected(): Promise<void> {
    return new Promise((resolve) => {
      this.#connected = resolve;
    });
  }

  start(): void {
    this.#sending = true;
    for (let index = 0; index < WINDOW; index++) this.#send();
  }

  stop(): void {
    this.#sending = false;
  }

  close(): void {
    this.#socket.destroy();
  }

  #send(): void {
    this.#identifier = (this.#identifier % 65_535) + 1;
    const identifier = Buffer.from([this.#identifier >> 8, this.#identifier & 255]);
    const payload = this.#payload.replace('SEQ', String(this.#identifier));
    this.#socket.write(packet(0x32, Buffer.concat([this.#topic, identifier, Buffer.from(payload)])));
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      let length = 0;
      let header = 1;
      let shift = 1;
      for (; at + header < bytes.length; header++, shift *= 128) {
        const byte = bytes[at + header] ?? 0;
        length += (byte & 127) * shift;
        if (byte < 128) break;
      }
      if (at + header + 1 + length > bytes.length) break;
      this.#packet(bytes[at] ?? 0, bytes.subarray(at + header + 1, at + header + 1 + length));
      at += header + 1 + length;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
  }

  #packet(first: number, body: Buffer): void {
    const type = first >> 4;
    if (type === 2) {
      if (body[1] !== 0) throw new Error(`refused with ${body[1]}`);
      this.#connected?.();
    }
    if (type === 3 && (first & 6) !== 0) {
      const end = 2 + body.readUInt16BE(0);
      this.#socket.write(Buffer.from([0x40, 2, body[end] ?? 0, body[end + 1] ?? 0]));
    }
    if (type !== this.#answeredBy) return;
    this.answered++;
    if (this.#sending) this.#send();
  }
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function measure(pid: number, senders: readonly Sender[]): Promise<{ perSecond: number; cpuUs: number }> {
  const answered = (): number => senders.reduce((sum, sender) => sum + sender.answered, 0);
  for (const sender of senders) sender.start();
  await sleep(500);
  const [count, cpu, begin] = [answered(), cpuSeconds(pid), performance.now()];
  await sleep(SECONDS * 1000);
  const done = answered() - count;
  const result = {
    perSecond: (done * 1000) / (performance.now() - begin),
    cpuUs: ((cpuSeconds(pid) - cpu) * 1e6) / done,
  };
  for (const sender of senders) sender.stop();
  await sleep(500);
  return result;
}

/** CONNECTs of devices that each prove themselves by HMAC-SHA256, without a socket. Microseconds for one. */
function signatureCheck(): number {
  const device = { id: 'd', tenantId: 't', name: 'n', profileId: 'p', gateway: false };
  const link: LinkDevice = { id: 'd', productKey: 'a1b2C3d4E5f', deviceName: 'lamp-01', deviceSecret: '0'.repeat(32) };
  const { clientId, username, password } = signed(link);
  const dialect = new AlibabaDialect({
    hmac: (algorithm, key, content) => createHmac(algorithm, key).update(content).digest('hex'),
    now: Date.now,
    store: () => {
      throw new Error('the store was not to be asked');
    },
  });
  const holder = {
    dialect: 'alibaba',
    credentials: [
      { credentialsType: 'ALIBABA', device, application: null, username, clientId: null, password: link.deviceSecret },
    ],
  };
  const connectPacket = { clientId, username, password: Buffer.from(password), keepAlive: 60, level: 4 };
  const via = { listener: 'mqtt', transport: 'tcp', pinnedDialect: null, serverName: null, clientCertificates: null };
  const registry = { byUsername: () => holder };
  const check = (): unknown => Reflect.apply(dialect.authenticate, dialect, [connectPacket, via, registry]);
  for (let index = 0; index < SIGNATURES / 10; index++) check();
  const begin = performance.now();
  for (let index = 0; index < SIGNATURES; index++) check();
  return ((performance.now() - begin) * 1000) / SIGNATURES;
}

const connectBody = (clientId: string, username: string, password: string): Buffer =>
  Buffer.concat([text('MQTT'), Buffer.from([4, 0xc2, 0, 240]), text(clientId), text(username), text(password)]);

const server = new MoorageProcess({ wrapper: ['taskset', '-c', '0'] });
try {
  await server.start();
  const api = new ApiClient(server);
  await api.login();
  const product = await createProduct(api, 'bench');
  const link: Sender[] = [];
  const thingsboard: Sender[] = [];
  for (let index = 0; index < DEVICES; index++) {
    const device = await createLinkDevice(api, product, `bench-${index}`);
    const { clientId, username, password } = signed(device, { more: ',_ss=1' });
    const topic = `/sys/${device.productKey}/${device.deviceName}/thing/event/property/post`;
    const values = '"temperature":21.5,"humidity":40,"seq":SEQ';
    const post = `{"id":"SEQ","version":"1.0","params":{${values}},"method":"thing.event.property.post"}`;
    link.push(new Sender(server.mqttPort, connectBody(clientId, username, password), topic, post, 3));
    await link.at(-1)?.connected();
    const token = `BENCHTOKEN-${index}`;
    await api.createDevice(`bench ${index}`, token);
    const login = connectBody(token, token, '');
    thingsboard.push(new Sender(server.mqttPort, login, 'v1/devices/me/telemetry', `{${values}}`, 4));
    await thingsboard.at(-1)?.connected();
  }
  const ours: { perSecond: number; cpuUs: number }[] = [];
  const theirs: { perSecond: number; cpuUs: number }[] = [];
  for (let round = 0; round < RUNS; round++) {
    ours.push(await measure(server.pid, link));
    theirs.push(await measure(server.pid, thingsboard));
  }
  const figures = (results: readonly { perSecond: number; cpuUs: number }[]) => ({
    answeredPerSecond: Math.round(median(results.map(({ perSecond }) => perSecond))),
    cpuUsPerMessage: Number(median(results.map(({ cpuUs }) => cpuUs)).toFixed(1)),
  });
  const [alibaba, telemetry] = [figures(ours), figures(theirs)];
  for (const sender of [...link, ...thingsboard]) sender.close();
  console.log(
    JSON.stringify({
      case: 'alibaba',
      date: new Date().toISOString(),
      node: process.version,
      devices: DEVICES,
      window: WINDOW,
      signatureCheckUs: Number(signatureCheck().toFixed(2)),
      alibaba,
      thingsboard: telemetry,
      rateRatio: Number((alibaba.answeredPerSecond / telemetry.answeredPerSecond).toFixed(2)),
      cpuRatio: Number((alibaba.cpuUsPerMessage / telemetry.cpuUsPerMessage).toFixed(2)),
    }),
  );
} finally {
  await server.dispose();
}
