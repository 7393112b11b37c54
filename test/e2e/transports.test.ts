import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { MosquittoSub } from '../harness/mosquitto-sub.ts';
import { RawClient } from '../harness/raw-client.ts';
import { run } from '../harness/real-clients.ts';

const COMMAND = fileURLToPath(new URL('../../node_modules/.bin/moorage', import.meta.url));
const TOKEN = 'TRANSPORTTOKEN000001';
const USER = { username: 'transport-user', password: 'transport-password' };

const folder = mkdtempSync(join(tmpdir(), 'moorage-transports-'));
const file = (name: string): string => join(folder, 'tls', name);
/** The files that the server reads, which tests replace. */
const certificate = join(folder, 'used.crt');
const key = join(folder, 'used.key');

const server = new MoorageProcess({
  args: ['--cert', certificate, '--key', key],
  env: {
    MOORAGE_COMBINED__PORT: '0',
    MOORAGE_MQTT__PINNED_PORTS: '0=plain',
    MOORAGE_TLS__PINNED_SERVER_NAMES: 'tb.example.org=thingsboard',
  },
});
const api = new ApiClient(server);

function issue(...names: string[]): void {
  const hosts = names.flatMap((name) => ['--host', name]);
  execFileSync(COMMAND, ['cert', 'init', '--data-dir', folder, '--json', ...hosts]);
}

beforeAll(async () => {
  issue('localhost');
  copyFileSync(file('server.crt'), certificate);
  copyFileSync(file('server.key'), key);
  await server.start();
  await api.login();
  await api.createDevice('transport device', TOKEN);
  await api.createPlainDevice('transport plain', USER.username, USER.password);
});

afterAll(async () => {
  await server.dispose();
  rmSync(folder, { recursive: true, force: true });
});

function tlsTo(port: number, options: ConnectionOptions = {}): TLSSocket {
  const ca = readFileSync(file('ca.crt'));
  const socket = connectTls({ host: '127.0.0.1', port, servername: 'localhost', ca, ...options });
  socket.on('error', () => undefined);
  return socket;
}

async function rawTls(level: 4 | 5, port: number, options: ConnectionOptions = {}): Promise<RawClient> {
  const socket = tlsTo(port, options);
  await once(socket, 'secureConnect');
  return RawClient.over(socket, level);
}

const FOUR = ['mqtt', 'mqtts', 'ws', 'wss'] as const;
type Transport = (typeof FOUR)[number];

function urlOf(transport: Transport): string {
  const port = transport === 'mqtt' ? server.mqttPort : server.port(transport);
  return `${transport}://localhost:${port}${transport.startsWith('ws') ? '/some/path' : ''}`;
}

function mqttJs(url: string, protocolVersion: 3 | 4 | 5, options: IClientOptions = {}): Promise<MqttClient> {
  return connectAsync(url, {
    ...USER,
    clientId: `js-${protocolVersion}-${Math.random().toString(36).slice(2, 10)}`,
    protocolVersion,
    ...(protocolVersion === 3 ? { protocolId: 'MQIsdp' } : {}),
    reconnectPeriod: 0,
    connectTimeout: 10_000,
    ca: readFileSync(file('ca.crt')),
    ...options,
  });
}

describe('mosquitto clients', () => {
  it.each([
    ['TCP', []],
    ['TLS', ['--cafile', file('ca.crt')]],
    ['TLS on the plain port (REC-38)', ['--cafile', file('ca.crt')]],
  ])('publish and subscribe over %s', async (name, tls) => {
    const port = String(name === 'TLS' ? server.port('mqtts') : server.mqttPort);
    const common = ['-h', 'localhost', '-p', port, '-u', USER.username, '-P', USER.password, ...tls];
    const topic = `transports/${name.replaceAll(' ', '')}`;
    const subscriber = new MosquittoSub([...common, '-t', topic, '-q', '1', '-V', 'mqttv5']);
    try {
      await subscriber.subscribed();
      const sent = await run('mosquitto_pub', [...common, '-t', topic, '-m', 'hello', '-q', '1', '-V', 'mqttv311']);
      expect(sent.code, sent.stderr).toBe(0);
      expect(await subscriber.line()).toBe('hello');
    } finally {
      subscriber.stop();
    }
  });

  it('refuse the server without its authority', async () => {
    const args = ['-h', 'localhost', '-p', String(server.port('mqtts')), '-t', 'x', '-m', 'x', '--tls-use-os-certs'];
    expect((await run('mosquitto_pub', args)).code).not.toBe(0);
  });
});

describe('MQTT.js', () => {
  const cases = FOUR.flatMap((transport) => ([4, 5] as const).map((version) => ({ transport, version })));

  it.each(cases)('exchanges messages over $transport, level $version (REC-1)', async ({ transport, version }) => {
    const client = await mqttJs(urlOf(transport), version);
    try {
      const topic = `transports/js/${transport}/${version}`;
      await client.subscribeAsync(topic, { qos: 1 });
      const big = Buffer.alloc(200_000, 'x');
      const received: Buffer[] = [];
      const both = new Promise<void>((resolve) => {
        client.on('message', (_topic, payload) => {
          received.push(payload);
          if (received.length === 2) resolve();
        });
      });
      await client.publishAsync(topic, 'small', { qos: 1 });
      await client.publishAsync(topic, big, { qos: 1 });
      await both;
      expect(received[0]?.toString()).toBe('small');
      expect(received[1]?.equals(big)).toBe(true);
    } finally {
      await client.endAsync(true);
    }
  });

  it('speaks 3.1 over WebSocket with its own sub-protocol (O-34)', async () => {
    const options = { wsOptions: { protocol: 'mqttv3.1' } };
    const client = await mqttJs(urlOf('ws'), 3, options);
    await client.publishAsync('transports/old', 'x', { qos: 1 });
    await client.endAsync(true);
  });

  it('speaks MQTT over TLS and over secure WebSocket on the port of HTTPS', async () => {
    const port = server.port('combined');
    for (const url of [`mqtts://localhost:${port}`, `wss://localhost:${port}/mqtt`]) {
      const client = await mqttJs(url, 5);
      await client.publishAsync('transports/combined', 'x', { qos: 1 });
      await client.endAsync(true);
    }
    const body = await new Promise<string>((resolve, reject) => {
      const ca = readFileSync(file('ca.crt'));
      request({ host: 'localhost', port, path: '/healthz', ca, agent: false }, (response) => {
        let text = `${response.statusCode} `;
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve(text));
      })
        .on('error', reject)
        .end();
    });
    expect(body).toMatch(/^200 /);
  });
});

describe('TLS', () => {
  it('REC-38 tells CONNECT from a ClientHello on the plain port, and closes other first bytes', async () => {
    const plain = await RawClient.open(server.mqttPort);
    expect(await plain.connect({ clientId: 'a', username: TOKEN })).toBe(0);
    plain.close();
    const secure = await rawTls(5, server.mqttPort);
    expect(await secure.connect({ clientId: 'b', username: TOKEN })).toBe(0);
    secure.close();
    for (const byte of [0x00, 0x20, 0x47]) {
      const other = await RawClient.open(server.mqttPort);
      other.write(Uint8Array.of(byte));
      await other.untilClosed();
      expect(other.packets).toEqual([]);
    }
  });

  it.each([
    [4, 5],
    [5, 0x87],
  ] as const)(
    'REC-8 hands an unknown client certificate to the dialects: level %d is refused with %d',
    async (level, code) => {
      const own = { cert: readFileSync(file('server.crt')), key: readFileSync(file('server.key')) };
      const withToken = await rawTls(level, server.port('mqtts'), own);
      expect(await withToken.connect({ clientId: 'k', username: TOKEN })).toBe(code);
      await withToken.untilClosed();
      const withoutCertificate = await rawTls(level, server.port('mqtts'));
      expect(await withoutCertificate.connect({ clientId: 'k', username: TOKEN })).toBe(0);
      withoutCertificate.close();
      const plain = await rawTls(level, server.port('mqtts'), own);
      const { username } = USER;
      expect(await plain.connect({ clientId: 'k', username, password: Buffer.from(USER.password) })).toBe(0);
      plain.close();
    },
  );

  it('REC-3 pins the dialect by server name', async () => {
    const plainUser = { clientId: 'p', username: USER.username, password: Buffer.from(USER.password) };
    const pinned = { servername: 'tb.example.org', checkServerIdentity: () => undefined };
    const refused = await rawTls(4, server.port('mqtts'), pinned);
    expect(await refused.connect(plainUser)).not.toBe(0);
    await refused.untilClosed();
    const accepted = await rawTls(4, server.port('mqtts'), pinned);
    expect(await accepted.connect({ clientId: 'p', username: TOKEN })).toBe(0);
    accepted.close();
  });

  it('REC-2 pins the dialect by port, and REC-3 the pin of the port goes first', async () => {
    const [entry] = server.ports.pinned as { port: number; dialect: string }[];
    expect(entry).toMatchObject({ listener: 'mqtt', dialect: 'plain' });
    const port = entry?.port ?? 0;
    const plainUser = { clientId: 'p', username: USER.username, password: Buffer.from(USER.password) };
    const token = await RawClient.open(port, 5);
    expect(await token.connect({ clientId: 'p', username: TOKEN })).toBe(0x86);
    await token.untilClosed();
    const named = { servername: 'tb.example.org', checkServerIdentity: () => undefined };
    const plain = await rawTls(5, port, named);
    expect(await plain.connect(plainUser)).toBe(0);
    plain.close();
  });

  it.each(['TLSv1', 'TLSv1.1'] as const)('refuses %s (B12)', async (version) => {
    const options = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' };
    const socket = tlsTo(server.port('mqtts'), options);
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve));
    expect(error.code).toMatch(/PROTOCOL_VERSION|ECONNRESET/);
  });

  it('refuses renegotiation, accepts a client without server name (B12)', async () => {
    const socket = tlsTo(server.port('mqtts'), { maxVersion: 'TLSv1.2', servername: '' });
    await once(socket, 'secureConnect');
    const error = await new Promise<Error | null>((resolve) => {
      socket.once('error', resolve);
      socket.renegotiate({}, (failure) => resolve(failure));
    });
    expect(error).not.toBeNull();
    socket.destroy();
  });

  it('takes a new certificate on SIGHUP without a restart, and keeps the old one while the new one is broken', async () => {
    const served = async (): Promise<string | undefined> => {
      const socket = tlsTo(server.port('mqtts'));
      await once(socket, 'secureConnect');
      const { subject } = socket.getPeerCertificate();
      socket.destroy();
      return String(subject.CN);
    };
    const connected = await rawTls(4, server.port('mqtts'));
    expect(await connected.connect({ clientId: 'stays', username: TOKEN })).toBe(0);
    expect(await served()).toBe('localhost');

    writeFileSync(certificate, 'no certificate');
    server.signal('SIGHUP');
    while (!server.log.includes('the new certificate is not used')) await once(server.output, 'data');
    expect(await served()).toBe('localhost');

    issue('renewed.example.org');
    copyFileSync(file('server.key'), key);
    copyFileSync(file('server.crt'), certificate);
    server.signal('SIGHUP');
    while (!server.log.includes('certificate taken over')) await once(server.output, 'data');
    expect(await served()).toBe('renewed.example.org');
    expect(connected.closed).toBe(false);
    connected.close();
  });
});

describe('WebSocket', () => {
  const open = async (protocols: string[], path = '/'): Promise<WebSocket> => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port('ws')}${path}`, protocols);
    await once(socket, 'open');
    return socket;
  };
  /** Bytes received until there are as many as wanted. */
  const receive = (socket: WebSocket, count: number): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      let bytes = Buffer.alloc(0);
      socket.on('message', (data: Buffer, isBinary) => {
        if (!isBinary) reject(new Error('a text frame came'));
        bytes = Buffer.concat([bytes, data]);
        if (bytes.length >= count) resolve(bytes);
      });
      socket.on('close', () => reject(new Error('closed')));
    });
  const packets = async (): Promise<{ connect: Uint8Array; publish: (id: number) => Uint8Array }> => {
    const encoder = await RawClient.open(server.mqttPort);
    const connect = encoder.encode(encoder.connectPacket({ clientId: 'ws', username: TOKEN }));
    const publish = (id: number): Uint8Array =>
      encoder.encode(encoder.publishPacket('v1/devices/me/telemetry', `{"ws":${id}}`, 1, id));
    encoder.close();
    return { connect, publish };
  };

  it.each([[['mqtt']], [['mqttv3.1']], [['x', 'mqttv3.1', 'mqtt']]])(
    'O-34 answers %j with the first that is MQTT [MQTT-6.0.0-4]',
    async (offered) => {
      const socket = await open(offered, '/any/path?x=y');
      expect(socket.protocol).toBe(offered.find((name) => name.startsWith('mqtt')));
      socket.terminate();
    },
  );

  it.each([[[]], [['http']]])('O-34 refuses %j with 400 [MQTT-6.0.0-3]', async (offered) => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port('ws')}/mqtt`, offered);
    const [error] = (await once(socket, 'error').catch((reason: unknown) => [reason])) as [Error];
    expect(error.message).toContain('400');
  });

  it('closes a text frame with 1003 [MQTT-6.0.0-1]', async () => {
    const socket = await open(['mqtt']);
    socket.send('text');
    expect((await once(socket, 'close'))[0]).toBe(1003);
  });

  it('K-61 keeps the order of many packets in one frame, and joins frames of one byte [MQTT-6.0.0-2]', async () => {
    const { connect, publish } = await packets();
    const socket = await open(['mqtt']);
    const ids = Array.from({ length: 20 }, (_, index) => index + 1);
    const answers = receive(socket, 4 + 4 * ids.length);
    socket.send(Buffer.concat([connect, ...ids.map(publish)]));
    const bytes = await answers;
    expect([...bytes.subarray(0, 4)]).toEqual([0x20, 2, 0, 0]);
    const acknowledged = ids.map((_, at) => bytes.readUInt16BE(4 + at * 4 + 2));
    expect(acknowledged).toEqual(ids);
    socket.terminate();

    const slow = await open(['mqtt']);
    const second = receive(slow, 8);
    for (const byte of Buffer.concat([connect, publish(7)])) slow.send(Uint8Array.of(byte));
    expect([...(await second)]).toEqual([0x20, 2, 0, 0, 0x40, 2, 0, 7]);
    slow.terminate();

    const fragmented = await open(['mqtt']);
    const third = receive(fragmented, 8);
    const whole = Buffer.concat([connect, publish(8)]);
    for (const [at, byte] of whole.entries()) {
      fragmented.send(Uint8Array.of(byte), { fin: at === whole.length - 1 });
    }
    expect([...(await third)]).toEqual([0x20, 2, 0, 0, 0x40, 2, 0, 8]);
    fragmented.terminate();
  });

  it('bounds frames and cuts a flood of pings (B12)', async () => {
    const big = await open(['mqtt']);
    big.send(new Uint8Array(70_000));
    expect((await once(big, 'close'))[0]).toBe(1009);
    const flood = await open(['mqtt']);
    flood.on('error', () => undefined);
    const gone = once(flood, 'close');
    for (let count = 0; count < 5_000; count++) flood.ping(Buffer.alloc(125));
    await gone;
    expect((await api.call('GET', '/readyz')).status).toBe(200);
  });

  it('counts what went wrong without a log line for each', async () => {
    const metrics = (await api.call('GET', '/metrics')).text;
    for (const event of ['tls.handshake.failed', 'webSocket.handshake.failed', 'webSocket.frame.text']) {
      expect(metrics).toMatch(new RegExp(`moorage_events_total\\{event="${event}"\\} [1-9]`));
    }
    expect(server.log).not.toContain('handshake');
  });
});
