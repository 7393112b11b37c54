import type { Properties } from '@moorage/mqtt-codec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader } from '../telemetry/byte-reader.ts';
import { ByteWriter } from '../telemetry/byte-writer.ts';
import {
  readMessage,
  readSubscription,
  readWill,
  writeMessage,
  writeSubscription,
  writeWill,
} from './message-codec.ts';
import { readProperties, writeProperties } from './properties-codec.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const number = fc.integer({ min: 0, max: 0xffffffff });
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => new Uint8Array(array));
const flag = fc.constantFrom<0 | 1>(0, 1);

const properties: fc.Arbitrary<Properties> = fc.record(
  {
    payloadFormatIndicator: flag,
    messageExpiryInterval: number,
    contentType: text,
    responseTopic: text,
    correlationData: bytes,
    subscriptionIdentifiers: fc.array(number, { maxLength: 4 }),
    sessionExpiryInterval: number,
    assignedClientIdentifier: text,
    serverKeepAlive: number,
    authenticationMethod: text,
    authenticationData: bytes,
    requestProblemInformation: flag,
    willDelayInterval: number,
    requestResponseInformation: flag,
    responseInformation: text,
    serverReference: text,
    reasonString: text,
    receiveMaximum: number,
    topicAliasMaximum: number,
    topicAlias: number,
    maximumQoS: flag,
    retainAvailable: flag,
    userProperties: fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 6 }),
    maximumPacketSize: number,
    wildcardSubscriptionAvailable: flag,
    subscriptionIdentifierAvailable: flag,
    sharedSubscriptionAvailable: flag,
  },
  { requiredKeys: [], noNullPrototype: true },
);
const qos = fc.constantFrom<0 | 1 | 2>(0, 1, 2);
const message = fc.record(
  {
    topicName: text,
    payload: bytes,
    qos,
    retain: fc.boolean(),
    properties: fc.option(properties),
    expiresAt: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 0, max: 8.64e15 })),
  },
  { noNullPrototype: true },
);

function reread<T>(write: (writer: ByteWriter) => void, read: (reader: ByteReader) => T): T {
  const writer = new ByteWriter(1);
  write(writer);
  const reader = new ByteReader(writer.slice());
  const result = read(reader);
  expect(reader.at).toBe(writer.at);
  return result;
}

describe('the form of stored messages', () => {
  it('keeps every property of MQTT 5.0, User Properties in order and repeated [K-59]', () => {
    fc.assert(
      fc.property(properties, (one) => {
        expect(reread((writer) => writeProperties(writer, one), readProperties)).toEqual(one);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps every field of messages and Wills', () => {
    fc.assert(
      fc.property(message, (one) => {
        expect(reread((writer) => writeMessage(writer, one), readMessage)).toEqual(one);
        const { expiresAt: _expiresAt, ...will } = one;
        const writer = new ByteWriter(1);
        writeWill(writer, will);
        expect(readWill(writer.slice())).toEqual(will);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps every field of subscriptions', () => {
    const subscription = fc.record(
      {
        topicFilter: text,
        options: fc.record(
          { qos, noLocal: fc.boolean(), retainAsPublished: fc.boolean(), retainHandling: qos },
          { noNullPrototype: true },
        ),
        grantedQoS: qos,
        subscriptionIdentifier: fc.integer({ min: 0, max: 268_435_455 }),
        enter: fc.array(text, { maxLength: 3 }),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(subscription, fc.boolean(), (one, plain) => {
        const whole = plain ? { ...one, enter: [one.topicFilter] } : one;
        const read = (reader: ByteReader) => readSubscription(whole.topicFilter, reader);
        expect(reread((writer) => writeSubscription(writer, whole), read)).toEqual(whole);
      }),
      { numRuns: 200 },
    );
  });

  it('reports a damaged record instead of giving half a message', () => {
    const writer = new ByteWriter(1);
    const properties = { userProperties: [['a', 'b']] } as const;
    writeMessage(writer, {
      topicName: 't',
      payload: new Uint8Array(9),
      qos: 1,
      retain: false,
      properties,
      expiresAt: 5,
    });
    const whole = writer.slice();
    for (let end = 0; end < whole.length; end++) {
      expect(() => readMessage(new ByteReader(whole.subarray(0, end)))).toThrow(
        expect.objectContaining({ code: 'corrupt-record' }),
      );
    }
    whole[0] = 0xff;
    expect(() => readMessage(new ByteReader(whole))).toThrow(/has form 7/);
  });
});
