import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type ConnectPacket, type Packet, PacketType } from '@moorage/mqtt-codec';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { RawClient } from '../harness/raw-client.ts';

/** The ways in which other brokers and platforms broke, each tried on the whole server. docs/known-breaks.md */
const server = new MoorageProcess();
const api = new ApiClient(server);
const OPTIONS = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
let number = 0;

beforeAll(async () => {
  await server.start();
  await api.login();
});
afterAll(() => server.dispose());

interface User {
  readonly body: Record<string, unknown>;
  readonly fields: Partial<ConnectPacket>;
}

async function newUser(configuration: object = {}): Promise<User> {
  number++;
  const credentials = { username: `user${number}`, password: 'a password' };
  const answer = await api.call('POST', '/api/application', {
    name: `application ${number}`,
    dialect: 'plain',
    credentials,
    configuration,
  });
  expect(answer.status, answer.text).toBe(200);
  const fields = { username: credentials.username, password: Buffer.from(credentials.password) };
  return { body: answer.body, fields };
}

async function open({ fields }: User, more: Partial<ConnectPacket> = {}): Promise<RawClient> {
  const client = await RawClient.open(server.mqttPort, 5);
  const code = await client.connect({ clientId: `client ${number}`, ...fields, ...more });
  if (code !== 0) throw new Error(`refused with ${code}`);
  return client;
}

async function subscribe(client: RawClient, topicFilter: string): Promise<readonly number[] | undefined> {
  client.write({
    type: PacketType.Subscribe,
    packetIdentifier: 1,
    subscriptions: [{ topicFilter, options: OPTIONS }],
    properties: {},
  });
  return (await client.next(PacketType.Suback))?.reasonCodes;
}

async function publish(client: RawClient, topicName: string, retain = false): Promise<number | undefined> {
  client.write({ ...client.publishPacket(topicName, 'x', 1, 7), retain } as Packet);
  return (await client.next(PacketType.Puback))?.reasonCode;
}

async function isAlive(client: RawClient): Promise<boolean> {
  client.write({ type: PacketType.Pingreq });
  return (await client.next(PacketType.Pingresp)) !== undefined;
}

describe('CPU and memory of one client', () => {
  it('a packet full of User Properties is refused with 0x97 and the next client is served (CVE-2021-41039)', async () => {
    const client = await open(await newUser());
    const userProperties = Array.from({ length: 10_000 }, () => ['k', 'v'] as const);
    client.write({
      ...client.publishPacket('a', 'x', 1, 1),
      properties: { userProperties },
    } as Packet);
    await client.untilClosed();
    expect((await client.next(PacketType.Disconnect))?.reasonCode).toBe(0x97);
    const next = await open(await newUser());
    expect(await isAlive(next)).toBe(true);
    next.close();
  });

  it('QoS 2 messages that are never released end at the announced maximum with 0x93 (CVE-2023-28366)', async () => {
    const client = await open(await newUser());
    for (let identifier = 1; identifier <= 101; identifier++) {
      client.write(client.publishPacket('a', 'x', 2, identifier));
    }
    await client.untilClosed();
    expect((await client.next(PacketType.Disconnect))?.reasonCode).toBe(0x93);
  });
});

describe('packets that a client never sends', () => {
  it.each([
    ['CONNACK (CVE-2021-28166)', Buffer.from([0x20, 3, 0, 0, 0])],
    ['SUBACK', Buffer.from([0x90, 4, 0, 1, 0, 0])],
    ['PINGRESP', Buffer.from([0xd0, 0])],
    ['a second CONNECT', null],
    ['an empty topic (CVE-2021-34432)', Buffer.from([0x30, 3, 0, 0, 0])],
  ])('%s costs its sender the connection and nobody else', async (_name, bytes) => {
    const other = await open(await newUser());
    const client = await open(await newUser());
    client.write(bytes ?? client.connectPacket());
    await client.untilClosed();
    expect(await isAlive(other)).toBe(true);
    other.close();
  });
});

describe('one authorize() for every path', () => {
  it('a Will to a topic that its owner may not publish to is refused at CONNECT (GHSA-4cmx-hrq9-c23p)', async () => {
    const user = await newUser({ publish: ['allowed/#'], subscribe: ['#'] });
    const will = { payload: Buffer.from('x'), qos: 1 as const, retain: false, properties: {} };
    const refused = await RawClient.open(server.mqttPort, 5);
    expect(
      await refused.connect({ clientId: 'will', ...user.fields, will: { ...will, topicName: 'forbidden/a' } }),
    ).toBe(0x87);
    const allowed = await open(user, { will: { ...will, topicName: 'allowed/a' } });
    expect(await publish(allowed, 'forbidden/a')).toBe(0x87);
    allowed.close();
  });

  it('a right that is taken away ends queue, subscription and retained delivery (CVE-2018-12546, CVE-2021-34434)', async () => {
    const reader = await newUser({ publish: [], subscribe: ['news/#'] });
    const writer = await open(await newUser());
    const fields = { clientId: 'reader', properties: { sessionExpiryInterval: 3_600 } };
    const first = await open(reader, { ...fields, cleanStart: false });
    expect(await subscribe(first, 'news/#')).toEqual([1]);
    first.close();
    expect(await publish(writer, 'news/queued')).toBe(0);
    expect(await publish(writer, 'news/kept', true)).toBe(0);
    const changed = await api.call('POST', '/api/application', {
      ...reader.body,
      configuration: { publish: [], subscribe: ['weather/#'] },
    });
    expect(changed.status, changed.text).toBe(200);
    const again = await open(reader, { ...fields, cleanStart: false });
    expect(await subscribe(again, 'news/#')).toEqual([0x87]);
    expect(await publish(writer, 'news/later')).not.toBe(0x87);
    expect(await isAlive(again)).toBe(true);
    expect(again.packets.filter((packet) => packet.type === PacketType.Publish)).toEqual([]);
    again.close();
    writer.close();
  });

  it('revoking a user cuts its connection within a second', async () => {
    const user = await newUser();
    const client = await open(user);
    const id = (user.body.id as { id: string }).id;
    const begin = performance.now();
    expect((await api.call('DELETE', `/api/application/${id}`)).status).toBe(200);
    await client.untilClosed();
    expect(performance.now() - begin).toBeLessThan(1_000);
    expect((await client.next(PacketType.Disconnect))?.reasonCode).toBe(0x98);
  });

  it('a Session belongs to who opened it: the same Client Identifier of another user is another Session (Moquette 689)', async () => {
    const fields = { clientId: 'shared name', cleanStart: false, properties: { sessionExpiryInterval: 3_600 } };
    const mine = await open(await newUser(), fields);
    expect(await subscribe(mine, 'mine/#')).toEqual([1]);
    const stranger = await newUser();
    const theirs = await RawClient.open(server.mqttPort, 5);
    theirs.write(theirs.connectPacket({ ...fields, ...stranger.fields }));
    expect((await theirs.next(PacketType.Connack))?.sessionPresent).toBe(false);
    expect(await isAlive(mine)).toBe(true);
    theirs.close();
    mine.close();
  });

  it('nobody publishes to $ topics or to the topics of the platform (aedes 597)', async () => {
    const client = await open(await newUser());
    for (const topicName of ['$SYS/broker/uptime', '$share/g/a', 'moorage/devices/x/telemetry']) {
      expect(await publish(client, topicName), topicName).toBe(0x87);
    }
    client.close();
  });

  it('a name with wildcards gives no right to the topics of others (CVE-2017-7650)', async () => {
    const answer = await api.call('POST', '/api/application', {
      name: 'wild',
      dialect: 'plain',
      credentials: { username: '#', password: 'a password' },
      configuration: { publish: ['own/#'], subscribe: ['own/#'] },
    });
    if (answer.status !== 200) {
      expect(answer.status).toBe(400);
      return;
    }
    const client = await RawClient.open(server.mqttPort, 5);
    expect(await client.connect({ clientId: '+', username: '#', password: Buffer.from('a password') })).toBe(0);
    expect(await subscribe(client, 'other/#')).toEqual([0x87]);
    client.close();
  });
});

describe('an installation', () => {
  it('has secrets of its own: a token of one server is nothing to another (CVE-2023-26462)', async () => {
    const other = new MoorageProcess();
    try {
      await other.start();
      const foreign = new ApiClient(other);
      const { body } = await foreign.login();
      const answer = await fetch(`${server.baseUrl}/api/auth/user`, {
        headers: { 'x-authorization': `Bearer ${body.token}` },
      });
      expect(answer.status).toBe(401);
    } finally {
      await other.dispose();
    }
  });

  it('knows none of the accounts that are in all guides', async () => {
    const guest = new ApiClient(server);
    for (const name of ['sysadmin', 'tenant', 'customer']) {
      expect((await guest.login(`${name}@thingsboard.org`, name)).status).toBe(401);
    }
  });

  it('keeps its files to itself: folder 0700, files 0600 (CVE-2017-9868)', () => {
    expect(statSync(server.dataDir).mode & 0o777).toBe(0o700);
    const walk = (folder: string): string[] =>
      readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory()
          ? [join(folder, entry.name), ...walk(join(folder, entry.name))]
          : [join(folder, entry.name)],
      );
    const open = walk(server.dataDir).filter((path) => (statSync(path).mode & 0o077) !== 0);
    expect(open).toEqual([]);
  });

  it('does not start with a setting that it does not know (CVE-2018-12550)', async () => {
    const wrong = new MoorageProcess({ env: { MOORAGE_PLAIN__ALLOW_EVERYBODY: 'true' } });
    try {
      await expect(wrong.start()).rejects.toThrow(/78[\s\S]*MOORAGE_PLAIN__ALLOW_EVERYBODY/);
    } finally {
      await wrong.dispose();
    }
  });

  it('writes no secret into its log', () => {
    expect(server.log).not.toContain('a password');
  });
});
