import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { PacketType } from '@moorage/mqtt-codec';
import mqtt, { type IClientOptions } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { RawClient } from '../harness/raw-client.ts';
import {
  createApplication,
  createVendors,
  createWaveshareDevice,
  type Shown,
  type Vendors,
} from '../harness/vendor-devices.ts';

const COMMAND = fileURLToPath(new URL('../../node_modules/.bin/moorage', import.meta.url));
const DIALECTS = ['thingsboard', 'alibaba', 'sensoro', 'thingscale', 'waveshare', 'plain'] as const;
const folder = mkdtempSync(join(tmpdir(), 'moorage-every-dialect-'));
const file = (name: string): string => join(folder, 'tls', name);

const server = new MoorageProcess({
  args: ['--cert', file('server.crt'), '--key', file('server.key')],
  env: {
    MOORAGE_MQTT__PINNED_PORTS: DIALECTS.map((dialect) => `0=${dialect}`).join(','),
    MOORAGE_TLS__PINNED_SERVER_NAMES: DIALECTS.map((dialect) => `${dialect}.example.org=${dialect}`).join(','),
  },
});
const api = new ApiClient(server);
let vendors: Vendors;

beforeAll(async () => {
  execFileSync(COMMAND, ['cert', 'init', '--data-dir', folder, '--json', '--host', 'localhost', '--host', '127.0.0.1']);
  await server.start();
  await api.login();
  vendors = await createVendors(api);
});

afterAll(async () => {
  await server.dispose();
  rmSync(folder, { recursive: true, force: true });
});

function fieldsOf({ clientId, username, password }: Shown) {
  return { clientId, username: username ?? null, password: password === undefined ? null : Buffer.from(password) };
}

/** Presents a CONNECT on an open connection and answers its code; a refused one must be closed by the server. */
async function codeOf(client: RawClient, shown: Shown): Promise<number | undefined> {
  const code = await client.connect(fieldsOf(shown));
  if (code !== 0) await client.untilClosed();
  client.close();
  return code;
}

const present = async (shown: Shown, level: 3 | 4 | 5 = 4, port = server.mqttPort) =>
  codeOf(await RawClient.open(port, level), shown);

async function presentByName(shown: Shown, level: 3 | 4 | 5, servername: string, port: number) {
  const socket = connectTls({
    host: '127.0.0.1',
    port,
    servername,
    ca: readFileSync(file('ca.crt')),
    checkServerIdentity: () => undefined,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  return codeOf(RawClient.over(socket, level), shown);
}

const pinnedPort = (dialect: string): number => {
  const entries = server.ports.pinned as { port: number; dialect: string }[];
  return entries.find((entry) => entry.dialect === dialect)?.port ?? 0;
};

/** Holds a connection open. */
async function hold(shown: Shown, level: 4 | 5 = 4, port = server.mqttPort): Promise<RawClient> {
  const client = await RawClient.open(port, level);
  expect(await client.connect(fieldsOf(shown))).toBe(0);
  return client;
}

describe('every dialect on one port', () => {
  const transports = [
    ['TCP', () => `mqtt://localhost:${server.mqttPort}`],
    ['TLS', () => `mqtts://localhost:${server.port('mqtts')}`],
    ['WebSocket', () => `ws://localhost:${server.port('ws')}/mqtt`],
    ['secure WebSocket', () => `wss://localhost:${server.port('wss')}/mqtt`],
  ] as const;

  it.each(transports)('REC-1 each vendor’s own CONNECT is accepted on 3.1, 3.1.1 and 5.0 over %s', async (_, url) => {
    for (const { dialect, connect } of vendors.clients) {
      for (const protocolVersion of [3, 4, 5] as const) {
        const options: IClientOptions = {
          ...connect,
          ...(protocolVersion === 3 ? { protocolId: 'MQIsdp' } : {}),
          protocolVersion,
          clean: true,
          reconnectPeriod: 0,
          ca: readFileSync(file('ca.crt')),
        };
        const client = await mqtt.connectAsync(url(), options);
        expect(client.connected, `${dialect}, level ${protocolVersion}`).toBe(true);
        await client.endAsync();
      }
    }
  });

  it('REC-2 a listener pinned to a dialect takes its own and refuses all others with its own code', async () => {
    for (const pinned of vendors.clients) {
      const port = pinnedPort(pinned.dialect);
      for (const other of vendors.clients) {
        const stranger = other.connect.username === undefined ? pinned.namelessRefusal : pinned.refusal;
        const expected = other === pinned ? [0, 0] : stranger;
        const where = `${other.dialect} on a listener for ${pinned.dialect}`;
        expect([await present(other.connect, 4, port), await present(other.connect, 5, port)], where).toEqual(expected);
      }
    }
  });

  it('REC-3 so does a TLS server name, and the pin of a listener overrides it', async () => {
    for (const pinned of vendors.clients) {
      const name = `${pinned.dialect}.example.org`;
      expect(await presentByName(pinned.connect, 4, name, server.port('mqtts')), name).toBe(0);
      const other = vendors.clients.find(({ dialect }) => dialect !== pinned.dialect) ?? pinned;
      expect(await presentByName(other.connect, 4, name, server.port('mqtts')), name).toBe(pinned.refusal[0]);
      expect(await presentByName(other.connect, 4, name, pinnedPort(other.dialect)), name).toBe(0);
    }
  });

  it('REC-5 client ID `provision` with a valid ThingScale user is a ThingScale connection', async () => {
    const client = await hold({ ...vendors.thingscale, clientId: 'provision' });
    const log = await api.call('GET', '/api/broker/sessions?pageSize=100&page=0&textSearch=provision');
    expect(log.body.data.map(({ dialect }: { dialect: string }) => dialect)).toEqual(['thingscale']);
    client.close();
  });

  it('REC-6 twenty provisioning sessions with an equal client ID live side by side', async () => {
    const clients: RawClient[] = [];
    for (let count = 0; count < 20; count++) clients.push(await hold({ clientId: 'provision', username: 'provision' }));
    for (const client of clients) {
      client.write(Uint8Array.of(0xc0, 0));
      expect(await client.next(PacketType.Pingresp)).toBeDefined();
      expect(client.closed).toBe(false);
      client.close();
    }
  });

  it('REC-8 an unknown client certificate with valid ThingScale credentials is accepted', async () => {
    for (const level of [4, 5] as const) {
      const socket = connectTls({
        host: 'localhost',
        port: server.port('mqtts'),
        ca: readFileSync(file('ca.crt')),
        cert: readFileSync(file('server.crt')),
        key: readFileSync(file('server.key')),
      });
      await new Promise<void>((resolve) => socket.once('secureConnect', resolve));
      expect(await codeOf(RawClient.over(socket, level), vendors.thingscale)).toBe(0);
    }
  });

  it('REC-16 a name taken by one dialect is refused with 400 for every other one, in every order', async () => {
    const makers: Record<string, (name: string) => ReturnType<ApiClient['call']>> = {
      thingsboard: (name) => api.call('POST', `/api/device?accessToken=${name}`, { name: `tb ${name}` }),
      mqttBasic: (name) =>
        api.call('POST', '/api/device-with-credentials', {
          device: { name: `basic ${name}` },
          credentials: {
            credentialsType: 'MQTT_BASIC',
            credentialsValue: JSON.stringify({ userName: name, password: 'p' }),
          },
        }),
      plain: (name) =>
        api.call('POST', '/api/application', {
          name: `plain ${name}`,
          dialect: 'plain',
          credentials: { username: name },
        }),
      sensoro: (name) =>
        api.call('POST', '/api/application', { name: `app ${name}`, dialect: 'sensoro', credentials: { appId: name } }),
      thingscale: (name) =>
        api.call('POST', '/api/application', {
          name: `acc ${name}`,
          dialect: 'thingscale',
          credentials: { userId: name },
        }),
    };
    let number = 100_000;
    for (const [first, make] of Object.entries(makers)) {
      for (const [second, steal] of Object.entries(makers)) {
        if (first === second) continue;
        // Both of the vendor ThingsBoard: one dialect, which refuses in its own words.
        const name = `U${number++}`;
        expect((await make(name)).status, first).toBe(200);
        const refused = await steal(name);
        expect(refused.status, `${second} after ${first}: ${refused.text}`).toBe(400);
        expect(refused.text).not.toContain('default');
      }
    }
  });

  it('REC-18 a Waveshare client ID and a client-ID-only credential exclude each other', async () => {
    const basic = (clientId: string) =>
      api.call('POST', '/api/device-with-credentials', {
        device: { name: `by id ${clientId}` },
        credentials: { credentialsType: 'MQTT_BASIC', credentialsValue: JSON.stringify({ clientId }) },
      });
    expect((await basic('11111111')).status).toBe(200);
    await expect(createWaveshareDevice(api, 'late relay', '11111111')).rejects.toThrow(/400/);
    await createWaveshareDevice(api, 'early relay', '22222222');
    expect((await basic('22222222')).status).toBe(400);
  });

  it('REC-23 a Waveshare client ID with user name none, empty and unknown; a known AppID decides before it', async () => {
    const { clientId } = vendors.waveshare;
    expect(await present({ clientId })).toBe(0);
    expect(await present({ clientId, username: '' })).toBe(0);
    expect(await present({ clientId, username: 'nobody knows me', password: 'x' })).toBe(0);
    const { username } = vendors.sensoro;
    const shown = { clientId, username: username ?? '', password: 'wrong' };
    expect([await present(shown, 4), await present(shown, 5)]).toEqual([5, 0x87]);
  });

  it('REC-25 a known AppID with another client ID and the right secret: 5 / 0x87', async () => {
    const { credentials } = await createApplication(api, 'sensoro', 'foobar', { appId: 'foobar' });
    for (const clientId of ['Foobar', 'foobarx']) {
      const shown = { clientId, username: 'foobar', password: credentials.appSecret ?? '' };
      expect([await present(shown, 4), await present(shown, 5)], clientId).toEqual([5, 0x87]);
    }
  });

  it('REC-26 an MQTT_BASIC pair with the client ID of a Waveshare device: 5 / 0x86', async () => {
    const credentialsValue = JSON.stringify({ clientId: 'its-own', userName: 'half-known', password: 'p' });
    const saved = await api.call('POST', '/api/device-with-credentials', {
      device: { name: 'half known' },
      credentials: { credentialsType: 'MQTT_BASIC', credentialsValue },
    });
    expect(saved.status).toBe(200);
    const shown = { clientId: vendors.waveshare.clientId, username: 'half-known', password: 'p' };
    expect(await present(shown, 5)).toBe(0x86);
    expect(await present(shown, 4)).toBe(5);
  });

  it('REC-31 equal client IDs of a ThingScale account, a plain user and an AppID are three live connections', async () => {
    const { appId = '', appSecret = '' } = (await createApplication(api, 'sensoro', 'same id', { appId: 'sameid' }))
      .credentials;
    const clientId = `${appId}/c`;
    const clients = [
      await hold({ ...vendors.thingscale, clientId }),
      await hold({ ...vendors.plain, clientId }),
      await hold({ clientId, username: appId, password: appSecret }),
    ];
    for (const client of clients) {
      client.write(Uint8Array.of(0xc0, 0));
      expect(await client.next(PacketType.Pingresp)).toBeDefined();
      client.close();
    }
  });

  it('REC-33 one device through a pinned and then a shared listener takes its own Session over', async () => {
    for (const { dialect, connect } of vendors.clients) {
      const first = await hold(connect, 5, pinnedPort(dialect));
      const second = await hold(connect, 5);
      expect((await first.next(PacketType.Disconnect))?.reasonCode, dialect).toBe(0x8e);
      await first.untilClosed();
      expect(second.closed, dialect).toBe(false);
      second.close();
    }
  });

  it('REC-34 empty client IDs of the newer dialects behave as their vendors', async () => {
    const empty = (shown: Shown) => ({ ...shown, clientId: '' });
    expect(await present(empty(vendors.sensoro), 4)).toBe(5);
    expect(await present(empty(vendors.sensoro), 5)).toBe(0x87);
    expect(await present(empty(vendors.thingscale), 4)).toBe(0);
    expect(await present(empty(vendors.thingscale), 5)).toBe(0);
    const kept = await RawClient.open(server.mqttPort, 4);
    expect(await kept.connect({ ...fieldsOf(empty(vendors.thingscale)), cleanStart: false })).toBe(2);
    expect(await present({ clientId: '' }, 4, pinnedPort('waveshare'))).toBe(2);
    expect(await present({ clientId: '' }, 5, pinnedPort('waveshare'))).toBe(0x85);
  });

  it('REC-35 a client ID of 60 characters is accepted on 3.1 for ThingsBoard, Alibaba, ThingScale and plain', async () => {
    const clientId = 'c'.repeat(60);
    for (const shown of [vendors.thingsboard, vendors.thingscale, vendors.plain])
      expect(await present({ ...shown, clientId }, 3)).toBe(0);
    expect(vendors.alibaba.clientId.length).toBeGreaterThan(59);
    expect(await present(vendors.alibaba, 3)).toBe(0);
  });

  it('REC-39 every HTTP path reaches its owner, and the Waveshare resource is 404 without sign-in while off', async () => {
    const status = async (method: string, path: string, body?: string) =>
      (await fetch(server.baseUrl + path, { method, ...(body === undefined ? {} : { body }) })).status;
    const text = async (method: string, path: string, body?: string) =>
      (await fetch(server.baseUrl + path, { method, ...(body === undefined ? {} : { body }) })).text();
    expect(await status('POST', '/api/v1/nobody/telemetry', '{}')).toBe(401);
    expect(await status('GET', '/api/sample-test')).toBe(404);
    expect(await status('GET', '/api/sample-test/')).toBe(404);
    expect(JSON.parse(await text('POST', '/auth', '{}')).code).toBeDefined();
    expect(await text('GET', '/developers/device/list')).toBe('{"info":"Invalid signature"}');
    for (const path of ['/v2/device', '/v2/channel', '/v2/stream/0', '/v2/event', '/v2/session', '/v2/user'])
      expect(await text('GET', path), path).toBe('{"error":"AUTH_REQUIRED"}');
    expect(await text('POST', '/v2/publish/dev', '{"payload":"x"}')).toBe('{"error":"AUTH_REQUIRED"}');
    expect(await text('POST', '/v1/publish/dev', '{"payload":"x"}')).toBe('{"error":"AUTH_REQUIRED"}');
    for (const path of ['/post_v1', '/post_v1/', '/post_v2', '/post_v2/'])
      expect(await status('POST', path, '{}'), path).toBe(401);
    expect(await status('GET', '/api/v2/alarms?pageSize=1&page=0')).toBe(401);
    for (const path of ['/docs', '/openapi.json', '/metrics', '/healthz', '/readyz'])
      expect(await status('GET', path), path).toBeLessThan(400);
  });
});
