import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { ApiClient } from '../test/harness/api-client.ts';
import { MoorageProcess } from '../test/harness/moorage-process.ts';
import { buildLoadGenerator, load, median } from './load-generator.ts';

/**
 * What ThingsBoard devices do besides telemetry, many at once, each case as one JSON line:
 * `node bench/devices.ts [firmware|whole-file|rpc|provisioning]`. The server has core 0, the devices share core 1.
 */
const CHUNK = 4_096;
const KIB = 1_024;

function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / KIB;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

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

const publishPacket = (topic: string, payload: string): Buffer =>
  packet(0x30, Buffer.concat([text(topic), Buffer.from(payload)]));

/** A device that keeps no payload: it counts bytes and sees the first bytes of each packet. */
class LightDevice {
  readonly #socket: Socket;
  readonly #onPacket: (first: number, length: number, head: Buffer) => void;
  #header: number[] = [];
  #left = 0;
  #length = 0;
  #head: Buffer[] = [];
  #connected: (() => void) | null = null;

  constructor(port: number, username: string, onPacket: (first: number, length: number, head: Buffer) => void) {
    this.#onPacket = onPacket;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('error', (error) => {
      throw error;
    });
    this.#socket.on('data', (chunk) => this.#read(chunk as Buffer));
    this.#socket.write(
      packet(0x10, Buffer.concat([text('MQTT'), Buffer.from([4, 0x82, 0, 0]), text(username), text(username)])),
    );
  }

  connected(): Promise<void> {
    return new Promise((resolve) => {
      this.#connected = resolve;
    });
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left === 0 && this.#length === 0) {
        const byte = chunk[at++] ?? 0;
        this.#header.push(byte);
        if (this.#header.length < 2 || byte >= 128) continue;
        for (let index = this.#header.length - 1; index >= 1; index--)
          this.#length = this.#length * 128 + ((this.#header[index] ?? 0) & 127);
        this.#left = this.#length;
        if (this.#left > 0) continue;
      } else {
        const part = chunk.subarray(at, at + this.#left);
        if (this.#head.length < 2) this.#head.push(part.subarray(0, 512));
        at += part.length;
        this.#left -= part.length;
        if (this.#left > 0) continue;
      }
      const first = this.#header[0] ?? 0;
      const length = this.#length;
      const head = this.#head.length === 1 ? (this.#head[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#head);
      this.#header = [];
      this.#head = [];
      this.#length = 0;
      if (first === 0x20) this.#connected?.();
      else this.#onPacket(first, length, head);
    }
  }
}

interface Bench {
  readonly server: MoorageProcess;
  readonly api: ApiClient;
  readonly authorization: string;
}

async function startServer(): Promise<Bench> {
  const server = new MoorageProcess({ wrapper: ['taskset', '-c', '0'] });
  await server.start();
  const api = new ApiClient(server);
  const login = await api.login();
  return { server, api, authorization: `Bearer ${login.body.token}` };
}

/** A profile whose devices get a firmware of `size` bytes; `count` devices in it with tokens FW-0 and on. */
async function fleet({ server, api, authorization }: Bench, size: number, count: number): Promise<void> {
  const profile = (
    await api.call('POST', '/api/deviceProfile', {
      name: 'fleet',
      type: 'DEFAULT',
      transportType: 'DEFAULT',
      profileData: { configuration: { type: 'DEFAULT' }, transportConfiguration: { type: 'DEFAULT' } },
    })
  ).body;
  const ota = (
    await api.call('POST', '/api/otaPackage', {
      title: 'fleet',
      version: '1',
      type: 'FIRMWARE',
      deviceProfileId: profile.id,
    })
  ).body;
  const form = new FormData();
  form.append('file', new Blob([Buffer.alloc(size, 7)]), 'fleet.bin');
  form.append('checksumAlgorithm', 'CRC32');
  const uploaded = await fetch(`${server.baseUrl}/api/otaPackage/${ota.id.id}`, {
    method: 'POST',
    headers: { 'x-authorization': authorization },
    body: form,
  });
  if (uploaded.status !== 200) throw new Error(await uploaded.text());
  await api.call('POST', '/api/deviceProfile', { ...profile, firmwareId: ota.id });
  for (let index = 0; index < count; index += 20) {
    await Promise.all(
      Array.from({ length: Math.min(20, count - index) }, (_, offset) =>
        api.call('POST', `/api/device?accessToken=FW-${index + offset}`, {
          name: `fleet ${index + offset}`,
          deviceProfileId: profile.id,
        }),
      ),
    );
  }
}

/** 1,000 devices download 1 MiB in chunks of 4 KiB; 500 others publish 20 messages a second each, alone and meanwhile. */
async function firmware(): Promise<Record<string, unknown>> {
  const devices = Number(process.env.BENCH_DEVICES ?? 1_000);
  const size = 1_048_576;
  buildLoadGenerator();
  const bench = await startServer();
  const { server, api } = bench;
  try {
    await fleet(bench, size, devices);
    for (let index = 0; index < 500; index++) await api.createDevice(`telemetry ${index}`, `TM-${index}`);
    const publishing = (seconds: number) =>
      load([
        ...['pub', '-q', '1', '-n', '500', '-w', '2', '-r', '10000', '-p', String(server.mqttPort)],
        ...['--broker-pid', String(server.pid), '--user', 'TM-{i}', '--pub-id', 'tm-{i}'],
        ...['-t', 'v1/devices/me/telemetry', '--payload', '{"t":{r}.5,"n":{n}}', '-d', String(seconds)],
      ]);
    const alone = await publishing(5);
    const before = residentMiB(server.pid);
    let highest = before;
    const watch = setInterval(() => {
      highest = Math.max(highest, residentMiB(server.pid));
    }, 50);
    const times: number[] = [];
    let begin = 0;
    const all = await Promise.all(
      Array.from({ length: devices }, async (_, index) => {
        let received = 0;
        let chunk = 0;
        let finished = () => {};
        const done = new Promise<void>((resolve) => {
          finished = resolve;
        });
        const next = () => device.write(publishPacket(`v2/fw/request/1/chunk/${chunk++}`, String(CHUNK)));
        const device = new LightDevice(server.mqttPort, `FW-${index}`, (first, length, head) => {
          if (first >> 4 !== 3) return;
          const topicLength = head.readUInt16BE(0);
          const identifier = (first & 6) === 0 ? 0 : 2;
          if (identifier === 2)
            device.write(Buffer.from([0x40, 2, head[2 + topicLength] ?? 0, head[3 + topicLength] ?? 0]));
          const bytes = length - 2 - topicLength - identifier;
          received += bytes;
          if (bytes > 0) return next();
          if (received !== size) throw new Error(`device ${index} got ${received} bytes`);
          times.push(performance.now() - begin);
          finished();
        });
        await device.connected();
        return { device, next, done };
      }),
    );
    begin = performance.now();
    const meanwhile = publishing(5);
    for (const { next } of all) next();
    await Promise.all(all.map(({ done }) => done));
    const seconds = (performance.now() - begin) / 1_000;
    const during = await meanwhile;
    clearInterval(watch);
    for (const { device } of all) device.close();
    return {
      case: 'firmware',
      devices,
      bytes: size,
      chunk: CHUNK,
      seconds: Number(seconds.toFixed(1)),
      mebibytesPerSecond: Math.round((devices * size) / 1_048_576 / seconds),
      slowestAgainstMedian: Number((Math.max(...times) / median(times)).toFixed(2)),
      grownMiB: Math.round(highest - before),
      ingestOfferedPerSecond: 10_000,
      ingestAlonePerSecond: Math.round(alone.acked_per_s),
      ingestMeanwhilePerSecond: Math.round(during.acked_per_s),
      ingestRatio: Number((during.acked_per_s / alone.acked_per_s).toFixed(2)),
      ingestAckP99Ms: [alone, during].map((result) => Number((result.ack_us.p99 / 1_000).toFixed(1))),
    };
  } finally {
    await server.dispose();
  }
}

/** 200 devices ask for a whole file of 20 MB at once. */
async function wholeFile(): Promise<Record<string, unknown>> {
  const devices = 200;
  const size = 20_000_000;
  const bench = await startServer();
  const { server } = bench;
  try {
    await fleet(bench, size, devices);
    const before = residentMiB(server.pid);
    let highest = before;
    const watch = setInterval(() => {
      highest = Math.max(highest, residentMiB(server.pid));
    }, 50);
    const begin = performance.now();
    const times: number[] = [];
    await Promise.all(
      Array.from({ length: devices }, async (_, index) => {
        let finished = () => {};
        const done = new Promise<void>((resolve) => {
          finished = resolve;
        });
        const device = new LightDevice(server.mqttPort, `FW-${index}`, (first, length, head) => {
          if (first >> 4 !== 3) return;
          const expected = size + 2 + head.readUInt16BE(0) + ((first & 6) === 0 ? 0 : 2);
          if (length !== expected) throw new Error(`device ${index} got ${length} bytes`);
          times.push(performance.now() - begin);
          finished();
        });
        await device.connected();
        device.write(publishPacket('v2/fw/request/1/chunk/0', ''));
        await done;
        device.close();
      }),
    );
    const seconds = (performance.now() - begin) / 1_000;
    clearInterval(watch);
    return {
      case: 'whole file',
      devices,
      bytes: size,
      seconds: Number(seconds.toFixed(1)),
      mebibytesPerSecond: Math.round((devices * size) / 1_048_576 / seconds),
      slowestAgainstMedian: Number((Math.max(...times) / median(times)).toFixed(2)),
      grownMiB: Math.round(highest - before),
    };
  } finally {
    await server.dispose();
  }
}

/** Two-way RPC, HTTP to device to HTTP, 200 calls a second over 50 devices. */
async function rpc(): Promise<Record<string, unknown>> {
  const count = 50;
  const { server, api } = await startServer();
  try {
    const ids: string[] = [];
    const devices: LightDevice[] = [];
    for (let index = 0; index < count; index++) {
      ids.push(await api.createDevice(`rpc ${index}`, `RPC-${index}`));
      const device = new LightDevice(server.mqttPort, `RPC-${index}`, (first, _length, head) => {
        if (first >> 4 !== 3) return;
        const topic = head.subarray(2, 2 + head.readUInt16BE(0)).toString();
        device.write(publishPacket(topic.replace('request', 'response'), '{"ok":true}'));
      });
      await device.connected();
      device.write(
        packet(0x82, Buffer.concat([Buffer.from([0, 1]), text('v1/devices/me/rpc/request/+'), Buffer.from([0])])),
      );
      devices.push(device);
    }
    const times: number[] = [];
    const failed = new Map<number, number>();
    const calls = 3_000;
    const pending: Promise<void>[] = [];
    const start = performance.now();
    for (let call = 0; call < calls; call++) {
      const due = start + call * 5;
      while (performance.now() < due) await new Promise((resolve) => setTimeout(resolve, 1));
      pending.push(
        (async () => {
          const begin = performance.now();
          const answer = await api.call('POST', `/api/rpc/twoway/${ids[call % count]}`, {
            method: 'm',
            params: { call },
          });
          if (answer.status !== 200) failed.set(answer.status, (failed.get(answer.status) ?? 0) + 1);
          // The first second warms up both sides.
          if (call >= 200) times.push(performance.now() - begin);
        })(),
      );
    }
    await Promise.all(pending);
    for (const device of devices) device.close();
    return {
      case: 'rpc',
      devices: count,
      calls,
      perSecond: 200,
      p50Ms: Number(percentile(times, 0.5).toFixed(2)),
      p99Ms: Number(percentile(times, 0.99).toFixed(2)),
      failed: Object.fromEntries(failed),
    };
  } finally {
    await server.dispose();
  }
}

/** 5,000 provisioning requests one after the other, each on a connection of its own. */
async function provisioning(): Promise<Record<string, unknown>> {
  const { server, api } = await startServer();
  try {
    const created = await api.call('POST', '/api/deviceProfile', {
      name: 'provisioning',
      type: 'DEFAULT',
      transportType: 'DEFAULT',
      provisionType: 'ALLOW_CREATE_NEW_DEVICES',
      provisionDeviceKey: 'benchkey',
      profileData: {
        configuration: { type: 'DEFAULT' },
        transportConfiguration: { type: 'DEFAULT' },
        provisionConfiguration: { type: 'ALLOW_CREATE_NEW_DEVICES', provisionDeviceSecret: 'benchsecret' },
      },
    });
    if (created.status !== 200) throw new Error(created.text);
    const times: number[] = [];
    let lost = 0;
    const requests = 5_000;
    for (let index = 0; index < requests; index++) {
      const begin = performance.now();
      let answered: (body: string) => void = () => {};
      const answer = new Promise<string>((resolve) => {
        answered = resolve;
      });
      const device = new LightDevice(server.mqttPort, 'provision', (_first, _length, head) =>
        answered(head.toString()),
      );
      await device.connected();
      device.write(
        publishPacket(
          '/provision/request',
          `{"provisionDeviceKey":"benchkey","provisionDeviceSecret":"benchsecret","deviceName":"p${index}"}`,
        ),
      );
      if (!(await answer).includes('SUCCESS')) lost++;
      times.push(performance.now() - begin);
      device.close();
    }
    const devices = await api.call('GET', '/api/tenant/devices?pageSize=1&page=0&type=provisioning');
    return {
      case: 'provisioning',
      requests,
      refusedOrLost: lost,
      devices: devices.body.totalElements,
      p50Ms: Number(percentile(times, 0.5).toFixed(2)),
      p99Ms: Number(percentile(times, 0.99).toFixed(2)),
    };
  } finally {
    await server.dispose();
  }
}

const cases = { firmware, 'whole-file': wholeFile, rpc, provisioning };
const wanted = process.argv.slice(2);
for (const [name, run] of Object.entries(cases)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(JSON.stringify(await run()));
}
