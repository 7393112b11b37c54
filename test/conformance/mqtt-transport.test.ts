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
