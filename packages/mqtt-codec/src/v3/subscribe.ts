import type { BodyReader } from '../body-reader.ts';
import type { BodyWriter } from '../body-writer.ts';
import { PacketType, type SubscribePacket } from '../packets.ts';
import type { ProtocolError } from '../protocol-error.ts';
import { malformed } from '../refusals.ts';
import { readFilterList } from '../subscription-list.ts';

type Subscription = SubscribePacket['subscriptions'][number];

function readSubscription(reader: BodyReader): Subscription {
  const topicFilter = reader.topicFilter();
  const options = reader.byte('the Requested QoS');
  // 3.1 ignores the other bits; they are held to the rule of 3.1.1 there too (mqtt.md, 2.2).
  const qos = options === 1 || options === 2 ? options : 0;
  if (options > 2) {
    const message = `The Requested QoS byte is ${options}, not 0, 1 or 2.`;
    reader.fail(malformed(reader.level, message, 'v3.1.1 MQTT-3.8.3-4'));
  }
  return { topicFilter, options: { qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } };
}

export function readSubscribe(reader: BodyReader): SubscribePacket | ProtocolError {
  const packetIdentifier = reader.packetIdentifier();
  const subscriptions = readFilterList(reader, 'v3.1.1 MQTT-3.8.3-3', readSubscription);
  return reader.error ?? { type: PacketType.Subscribe, packetIdentifier, subscriptions, properties: null };
}

export function writeSubscribe(writer: BodyWriter, packet: SubscribePacket): void {
  writer.twoBytes(packet.packetIdentifier);
  for (const { topicFilter, options } of packet.subscriptions) {
    writer.text(topicFilter);
    writer.byte(options.qos);
  }
}
