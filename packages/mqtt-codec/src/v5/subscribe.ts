import type { BodyReader } from '../body-reader.ts';
import type { BodyWriter } from '../body-writer.ts';
import { PacketType, type SubscribePacket } from '../packets.ts';
import { readProperties } from '../properties/read-properties.ts';
import { writeProperties } from '../properties/write-properties.ts';
import type { ProtocolError } from '../protocol-error.ts';
import { forbidden, malformed } from '../refusals.ts';
import { readFilterList } from '../subscription-list.ts';
import { parseSharedFilter } from '../topics/topic-filter.ts';

type Subscription = SubscribePacket['subscriptions'][number];
const NO_LOCAL = 0x04;
const RETAIN_AS_PUBLISHED = 0x08;
const RESERVED = 0xc0;

function readSubscription(reader: BodyReader): Subscription {
  const topicFilter = reader.topicFilter();
  const byte = reader.byte('the Subscription Options');
  if ((byte & RESERVED) !== 0) {
    reader.fail(malformed(5, 'Reserved bits of the Subscription Options are set.', 'MQTT-3.8.3-5'));
  }
  const noLocal = (byte & NO_LOCAL) !== 0;
  if (noLocal && parseSharedFilter(topicFilter) !== null) {
    reader.fail(forbidden(5, 'No Local is set on a Shared Subscription.', 'MQTT-3.8.3-4'));
  }
  const options = {
    qos: upToTwo(reader, byte & 0x03, 'QoS'),
    noLocal,
    retainAsPublished: (byte & RETAIN_AS_PUBLISHED) !== 0,
    retainHandling: upToTwo(reader, (byte >> 4) & 0x03, 'Retain Handling'),
  };
  return { topicFilter, options };
}

function upToTwo(reader: BodyReader, value: number, name: string): 0 | 1 | 2 {
  if (value === 0 || value === 1 || value === 2) return value;
  reader.fail(forbidden(5, `${name} of a subscription is 3.`, 'U-9'));
  return 0;
}

export function readSubscribe(reader: BodyReader): SubscribePacket | ProtocolError {
  const packetIdentifier = reader.packetIdentifier();
  const properties = readProperties(reader, PacketType.Subscribe);
  const subscriptions = readFilterList(reader, 'MQTT-3.8.3-2', readSubscription);
  return reader.error ?? { type: PacketType.Subscribe, packetIdentifier, subscriptions, properties };
}

export function writeSubscribe(writer: BodyWriter, packet: SubscribePacket): void {
  writer.twoBytes(packet.packetIdentifier);
  writeProperties(writer, packet.properties);
  for (const { topicFilter, options } of packet.subscriptions) {
    writer.text(topicFilter);
    writer.byte(
      options.qos |
        (options.noLocal ? NO_LOCAL : 0) |
        (options.retainAsPublished ? RETAIN_AS_PUBLISHED : 0) |
        (options.retainHandling << 4),
    );
  }
}
