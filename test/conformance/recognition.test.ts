import { PacketType } from '@moorage/mqtt-codec';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { RawClient } from '../harness/raw-client.ts';

const server = new MoorageProcess();
const api = new ApiClient(server);
const TOKEN = 'RECTOKEN000000000001';

beforeAll(async () => {
  await server.start();
  await api.login();
  await api.createDevice('token device', TOKEN);
  await api.createPlainDevice('plain device', 'plain-user', 'plain-password');
});

afterAll(() => server.dispose());

interface Presented {
  readonly clientId: string;
  readonly username?: string | null;
  readonly password?: string | null;
}

/** Presents a CONNECT; the answer is the code, or `closed` where none came. */
async function present(level: 3 | 4 | 5, presented: Presented): Promise<number | 'closed'> {
  const client = await RawClient.open(server.mqttPort, level);
  const code = await client.connect({
    clientId: presented.clientId,
    username: presented.username ?? null,
    password: presented.password == null ? null : Buffer.from(presented.password),
  });
  if (code !== undefined && code !== 0) await client.untilClosed();
  client.close();
  return code ?? 'closed';
}

function mqttBasic(name: string, value: Record<string, string>) {
  return api.call('POST', '/api/device-with-credentials', {
    device: { name },
    credentials: { credentialsType: 'MQTT_BASIC', credentialsValue: JSON.stringify(value) },
  });
}

describe('one port for every dialect', () => {
  it('REC-1 a ThingsBoard and a plain device are both taken on 3.1, 3.1.1 and 5.0', async () => {
    for (const level of [3, 4, 5] as const) {
      expect(await present(level, { clientId: 'a', username: TOKEN })).toBe(0);
      expect(await present(level, { clientId: 'a', username: 'plain-user', password: 'plain-password' })).toBe(0);
    }
  });

  it('REC-10 client IDs with bars do not disturb a valid token', async () => {
    for (const clientId of ['x|y=1|', 'a|b']) expect(await present(4, { clientId, username: TOKEN })).toBe(0);
  });

  it('REC-16 a name taken by one dialect is refused for another one, in both orders', async () => {
    const plain = await api.call('POST', '/api/device-with-credentials', {
      device: { name: 'thief' },
      credentials: {
        credentialsType: 'PLAIN',
        credentialsId: TOKEN,
        credentialsValue: JSON.stringify({ username: TOKEN, password: 'p', clientId: null }),
      },
    });
    expect(plain.status, plain.text).toBe(400);
    expect((await api.call('POST', '/api/device?accessToken=plain-user', { name: 'thief 2' })).status).toBe(400);
    expect((await mqttBasic('thief 3', { userName: 'plain-user', password: 'x' })).status).toBe(400);
    expect((await api.call('GET', '/api/tenant/devices?deviceName=thief')).status).toBe(404);
  });

  it('REC-17 two MQTT_BASIC records with an equal user name and different client IDs can be saved', async () => {
    expect((await mqttBasic('pair 1', { clientId: 'p1', userName: 'shared-name' })).status).toBe(200);
    expect((await mqttBasic('pair 2', { clientId: 'p2', userName: 'shared-name' })).status).toBe(200);
    expect(await present(4, { clientId: 'p1', username: 'shared-name' })).toBe(0);
    expect(await present(4, { clientId: 'p2', username: 'shared-name' })).toBe(0);
    expect(await present(4, { clientId: 'p3', username: 'shared-name' })).toBe(5);
    expect(await present(5, { clientId: 'p3', username: 'shared-name' })).toBe(0x86);
  });

  it('REC-19 `provision` cannot be saved as a name', async () => {
    expect((await api.call('POST', '/api/device?accessToken=provision', { name: 'reserved' })).status).toBe(400);
    expect((await mqttBasic('reserved 2', { userName: 'provision', password: 'x' })).status).toBe(400);
    expect((await mqttBasic('reserved 3', { clientId: 'provision' })).status).toBe(400);
  });

  it('REC-20 the text of a conflict names neither device nor tenant', async () => {
    const answer = await api.call('POST', '/api/device?accessToken=plain-user', { name: 'thief 4' });
    expect(answer.body.message).not.toMatch(/plain device|default/);
  });

  it('REC-21 of two concurrent requests for one name exactly one succeeds', async () => {
    const answers = await Promise.all([
      api.call('POST', '/api/device?accessToken=CONTESTED', { name: 'contest 1' }),
      api.call('POST', '/api/device-with-credentials', {
        device: { name: 'contest 2' },
        credentials: {
          credentialsType: 'PLAIN',
          credentialsId: 'CONTESTED',
          credentialsValue: JSON.stringify({ username: 'CONTESTED', password: 'p', clientId: null }),
        },
      }),
    ]);
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 400]);
  });

  it('REC-22 deleting a device frees its name at once', async () => {
    const id = await api.createDevice('short-lived', 'FREEDTOKEN0000000001');
    expect((await api.call('DELETE', `/api/device/${id}`)).status).toBe(200);
    await api.createDevice('successor', 'FREEDTOKEN0000000001');
    expect(await present(4, { clientId: 'x', username: 'FREEDTOKEN0000000001' })).toBe(0);
  });

  it('REC-24 a client-ID-only credential: U none and empty are taken, an unknown name is refused', async () => {
    expect((await mqttBasic('by client id', { clientId: 'only-client-id' })).status).toBe(200);
    expect(await present(4, { clientId: 'only-client-id' })).toBe(0);
    expect(await present(4, { clientId: 'only-client-id', username: '' })).toBe(0);
    expect(await present(4, { clientId: 'only-client-id', username: 'unknown' })).toBe(5);
    expect(await present(5, { clientId: 'only-client-id', username: 'unknown' })).toBe(0x86);
  });

  it('REC-27 refusals F3 to F8 on 3.1.1 and 5.0', async () => {
    const rows: [Presented, number, number][] = [
      [{ clientId: '' }, 5, 0x87],
      [{ clientId: 'unknown' }, 2, 0x85],
      [{ clientId: 'x', username: '' }, 4, 0x86],
      [{ clientId: 'x', username: 'U123456', password: 'p' }, 4, 0x86],
      [{ clientId: 'someapp/1', username: 'someapp', password: 'p' }, 5, 0x87],
      [{ clientId: 'x', username: 'unknown', password: 'p' }, 5, 0x86],
    ];
    for (const [presented, older, newer] of rows) {
      expect(await present(4, presented), JSON.stringify(presented)).toBe(older);
      expect(await present(5, presented), JSON.stringify(presented)).toBe(newer);
    }
  });

  it('REC-28 a password without user name: 3.1.1 closes without CONNACK, 5.0 answers 0x86', async () => {
    const older = await RawClient.open(server.mqttPort, 4);
    // Connect Flags 0x42: Clean Session and Password, no User Name.
    older.write(Buffer.from([0x10, 0x11, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0x42, 0, 60, 0, 2, 0x78, 0x79, 0, 1, 0x70]));
    expect(await older.next(PacketType.Connack)).toBeUndefined();
    expect(await present(5, { clientId: 'x', password: 'p' })).toBe(0x86);
  });

  it('REC-29 a wrong plain password and an unknown name give the same answer', async () => {
    for (const level of [4, 5] as const) {
      const wrong = await present(level, { clientId: 'x', username: 'plain-user', password: 'wrong' });
      const unknown = await present(level, { clientId: 'x', username: 'no-such-user', password: 'wrong' });
      expect(wrong).toBe(unknown);
    }
  });

  it('REC-34 empty client IDs: ThingsBoard takes them, 3.1 and 3.1.1 without clean session get 2, plain likewise', async () => {
    expect(await present(4, { clientId: '', username: TOKEN })).toBe(0);
    expect(await present(5, { clientId: '', username: TOKEN })).toBe(0);
    const kept = await RawClient.open(server.mqttPort, 4);
    expect(await kept.connect({ clientId: '', username: TOKEN, cleanStart: false })).toBe(2);
    expect(await present(3, { clientId: '', username: 'plain-user', password: 'plain-password' })).toBe(2);
    expect(await present(4, { clientId: '', username: 'plain-user', password: 'plain-password' })).toBe(0);
    const made = await RawClient.open(server.mqttPort, 5);
    made.write(made.connectPacket({ clientId: '', username: 'plain-user', password: Buffer.from('plain-password') }));
    const connack = await made.next(PacketType.Connack);
    expect(connack?.properties?.assignedClientIdentifier).toMatch(/^auto-[0-9A-Za-z]{22}$/);
    made.close();
  });

  it('REC-35 a client ID of 60 characters is taken on 3.1 by ThingsBoard and plain', async () => {
    const clientId = 'x'.repeat(60);
    expect(await present(3, { clientId, username: TOKEN })).toBe(0);
    expect(await present(3, { clientId, username: 'plain-user', password: 'plain-password' })).toBe(0);
  });

  it('REC-40 without anonymous access an unknown client without user name is refused', async () => {
    expect(await present(4, { clientId: 'stranger' })).toBe(2);
  });

  it('bytes that are no CONNECT are closed without an answer, and nobody else notices', async () => {
    const healthy = await RawClient.open(server.mqttPort, 4);
    expect(await healthy.connect({ clientId: 'healthy', username: TOKEN })).toBe(0);
    for (const bytes of [
      'GET / HTTP/1.1\r\n\r\n',
      '\x16\x03\x01\x02',
      '\x00',
      '\x30\x03\x00\x01a',
      '\xff\xff\xff\xff',
    ]) {
      const stranger = await RawClient.open(server.mqttPort, 4);
      stranger.write(Buffer.from(bytes, 'latin1'));
      await stranger.untilClosed();
      expect(stranger.packets).toEqual([]);
    }
    healthy.write({ type: PacketType.Pingreq });
    expect(await healthy.next(PacketType.Pingresp)).toBeDefined();
    healthy.close();
  });
});

describe('anonymous access', () => {
  it('REC-40 on: an unknown client without user name is the anonymous plain principal with free topics', async () => {
    const open = new MoorageProcess({
      env: { MOORAGE_PLAIN__ANONYMOUS: 'true', MOORAGE_PLAIN__DENY_SUBSCRIBE: 'secret/#,other' },
    });
    try {
      await open.start();
      const client = await RawClient.open(open.mqttPort, 5);
      expect(await client.connect({ clientId: 'anybody' })).toBe(0);
      const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
      client.write({
        type: PacketType.Subscribe,
        packetIdentifier: 1,
        subscriptions: [
          { topicFilter: 'a/#', options },
          { topicFilter: 'secret/#', options },
          { topicFilter: 'other', options },
        ],
        properties: {},
      });
      expect((await client.next(PacketType.Suback))?.reasonCodes).toEqual([1, 0x80, 0x80]);
      client.write(client.publishPacket('a/b', 'hello', 1, 1));
      expect((await client.next(PacketType.Publish))?.topicName).toBe('a/b');
      expect((await client.next(PacketType.Puback))?.reasonCode).toBe(0);
      client.close();
    } finally {
      await open.dispose();
    }
  });
});
