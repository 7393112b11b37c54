import { describe, expect, it } from 'vitest';
import { encodePacket } from './encode.ts';
import { type AcknowledgementPacket, PacketType, type PublishPacket, type QoS } from './packets.ts';
import { encodeProperties } from './properties/write-properties.ts';
import { encodeText } from './text.ts';
import { decodeBytes } from './vectors/decode-bytes.ts';
import { hex, packet, props, u16 } from './vectors/wire.ts';
import { ACKNOWLEDGEMENT_MAX_SIZE, writeAcknowledgement } from './write-acknowledgement.ts';
import { packetIdentifierOffset, publishSize, writePublish, writePublishHeader } from './write-publish.ts';

const LEVELS = [3, 4, 5] as const;
const QOS: readonly QoS[] = [0, 1, 2];

describe('writePublish', () => {
  const topic = encodeText('a/b');
  const payload = Uint8Array.of(1, 2, 3);

  it.each([
    [3, 0, null, packet(0x30, 'a/b', payload)],
    [4, 1, null, packet(0x32, 'a/b', u16(258), payload)],
    [4, 2, Uint8Array.of(0), packet(0x34, 'a/b', u16(258), payload)],
    [5, 0, null, packet(0x30, 'a/b', 0, payload)],
    [5, 1, new Uint8Array(0), packet(0x32, 'a/b', u16(258), 0, payload)],
    [5, 2, encodeProperties({ topicAlias: 5 }), packet(0x34, 'a/b', u16(258), props(0x23, u16(5)), payload)],
  ] as const)('writes level %i, QoS %i [MQTT-2.2.1-2] [MQTT-2.2.2-1]', (level, qos, propertyBytes, expected) => {
    const size = publishSize(level, topic.length, payload.length, qos, propertyBytes?.length ?? 0);
    expect(size).toBe(expected.length);
    const target = new Uint8Array(size + 8).fill(0xee);
    expect(writePublish(target, 4, level, topic, payload, qos, false, false, 258, propertyBytes)).toBe(4 + size);
    expect(hex(target)).toBe(`ee ee ee ee ${hex(expected)} ee ee ee ee`);
  });

  it('sets DUP, QoS and RETAIN [MQTT-3.3.1-1]', () => {
    const target = new Uint8Array(20);
    writePublish(target, 0, 4, topic, payload, 2, true, true, 1, null);
    expect(target[0]).toBe(0x3d);
    writePublish(target, 0, 4, topic, payload, 1, true, false, 1, null);
    expect(target[0]).toBe(0x3a);
  });

  it('leaves the payload to the caller with writePublishHeader', () => {
    const [whole, head] = [new Uint8Array(30), new Uint8Array(30)];
    const end = writePublish(whole, 0, 5, topic, payload, 1, false, false, 9, null);
    const payloadStart = writePublishHeader(head, 0, 5, topic, payload.length, 1, false, false, 9, null);
    head.set(payload, payloadStart);
    expect(payloadStart + payload.length).toBe(end);
    expect(head).toEqual(whole);
  });

  it('agrees with encodePacket for topics and payloads of every size around the steps of the Remaining Length', () => {
    for (const level of LEVELS) {
      for (const qos of QOS) {
        for (const size of [
          0, 1, 31, 32, 33, 110, 121, 122, 123, 124, 125, 126, 127, 128, 16_370, 16_376, 16_380, 16_384,
        ]) {
          const message: PublishPacket = {
            type: PacketType.Publish,
            topicName: size % 2 === 0 ? 'abc' : 'x'.repeat(60),
            payload: new Uint8Array(size).fill(7),
            qos,
            dup: false,
            retain: true,
            packetIdentifier: qos === 0 ? 0 : 513,
            properties: null,
          };
          const encoded = encodePacket(level, message) ?? new Uint8Array(0);
          const topicBytes = message.topicName.length;
          expect(encoded.length).toBe(publishSize(level, topicBytes, size, qos, 0));
          expect(decodeBytes(level, encoded)).toEqual(message);
          if (qos !== 0) {
            const at = packetIdentifierOffset(topicBytes, encoded.length);
            expect(hex(encoded.subarray(at, at + 2))).toBe('02 01');
          }
        }
      }
    }
  });

  it('places the Packet Identifier behind a Remaining Length of one to four bytes', () => {
    for (const body of [127, 128, 16_383, 16_384, 2_097_151, 2_097_152]) {
      const payloadBytes = body - 2 - 3 - 2;
      const size = publishSize(4, 3, payloadBytes, 1, 0);
      const target = new Uint8Array(size);
      writePublishHeader(target, 0, 4, topic, payloadBytes, 1, false, false, 0xabcd, null);
      const at = packetIdentifierOffset(3, size);
      expect(hex(target.subarray(at - 3, at + 2))).toBe('61 2f 62 ab cd');
    }
  });
});

describe('writeAcknowledgement', () => {
  const types: readonly AcknowledgementPacket['type'][] = [
    PacketType.Puback,
    PacketType.Pubrec,
    PacketType.Pubrel,
    PacketType.Pubcomp,
  ];

  it('writes the shortest form, as encodePacket does [MQTT-2.2.1-5] [MQTT-3.6.1-1]', () => {
    for (const level of LEVELS) {
      for (const type of types) {
        for (const reasonCode of [0x00, 0x92] as const) {
          const target = new Uint8Array(ACKNOWLEDGEMENT_MAX_SIZE + 1);
          const end = writeAcknowledgement(target, 1, level, type, 0x1234, reasonCode);
          const expected = encodePacket(level, { type, packetIdentifier: 0x1234, reasonCode, properties: null });
          expect(hex(target.subarray(1, end))).toBe(hex(expected ?? new Uint8Array(0)));
          expect(end).toBe(level === 5 && reasonCode !== 0 ? 6 : 5);
        }
      }
    }
  });
});
