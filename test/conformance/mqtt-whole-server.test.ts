import { PacketType } from '@moorage/mqtt-codec';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { RawClient } from '../harness/raw-client.ts';

const server = new MoorageProcess({ env: { MOORAGE_PLAIN__ANONYMOUS: 'true' } });

beforeAll(() => server.start());
afterAll(() => server.dispose());

async function open(clientId: string): Promise<RawClient> {
  const client = await RawClient.open(server.mqttPort, 4);
  expect(await client.connect({ clientId })).toBe(0);
  return client;
}

describe('MQTT over TCP', () => {
  it('carries bytes both ways, in order and without loss, to a client that has nothing but 3.1.1 [MQTT-4.2.0-1] [v3.1.1 MQTT-7.1.1-1] [v3.1.1 MQTT-7.0.0-2]', async () => {
    const subscriber = await open('subscriber');
    const publisher = await open('publisher');
    subscriber.write(Uint8Array.from([0x82, 6, 0, 1, 0, 1, 0x74, 1]));
    expect(await subscriber.next(PacketType.Suback)).toMatchObject({ packetIdentifier: 1, reasonCodes: [1] });
    const payload = Uint8Array.from({ length: 200_000 }, (_, index) => (index * 7) & 0xff);
    for (const packetIdentifier of [7, 8, 9]) {
      publisher.write(publisher.publishPacket('t', payload, 1, packetIdentifier));
      expect(await publisher.next(PacketType.Puback)).toMatchObject({ packetIdentifier });
      const message = await subscriber.next(PacketType.Publish);
      expect(message).toMatchObject({ topicName: 't', qos: 1, dup: false });
      expect(Buffer.compare(message?.payload ?? new Uint8Array(0), payload)).toBe(0);
    }
    for (const client of [subscriber, publisher]) {
      client.write(Uint8Array.from([0xe0, 0]));
      await client.untilClosed();
    }
  });
});

describe('an empty Client Identifier', () => {
  it('is replaced by a unique one, told to 5.0 clients [MQTT-3.1.3-6] [MQTT-3.2.2-16] [O-17] [v3.1.1 MQTT-3.1.3-6]', async () => {
    const told = new Set<string>();
    const clients: RawClient[] = [];
    for (let times = 0; times < 5; times++) {
      const client = await RawClient.open(server.mqttPort, 5);
      client.write(client.connectPacket({ clientId: '', cleanStart: times % 2 === 0 }));
      const connack = await client.next(PacketType.Connack);
      const identifier = connack?.properties?.assignedClientIdentifier ?? '';
      expect(connack?.reasonCode).toBe(0);
      expect(identifier).toMatch(/^auto-[0-9A-Za-z]{22}$/);
      told.add(identifier);
      clients.push(client);
    }
    expect(told.size).toBe(5);
    // Nobody was taken over: all of them are served, and so are two of 3.1.1.
    for (let times = 0; times < 2; times++) {
      const client = await RawClient.open(server.mqttPort, 4);
      expect(await client.connect({ clientId: '', cleanStart: true })).toBe(0);
      clients.push(client);
    }
    for (const client of clients) {
      client.write(Uint8Array.from([0xc0, 0]));
      expect(await client.next(PacketType.Pingresp)).toBeDefined();
      client.close();
    }
  });

  it('on 3.1.1 without clean session is told 2 and closed [v3.1.1 MQTT-3.1.3-8]', async () => {
    const client = await RawClient.open(server.mqttPort, 4);
    expect(await client.connect({ clientId: '', cleanStart: false })).toBe(2);
    await client.untilClosed();
  });
});
