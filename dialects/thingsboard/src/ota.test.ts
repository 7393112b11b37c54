import { ValueReader } from '@moorage/core';
import type { DeviceReply, ProtocolLevel } from '@moorage/dialect-api';
import { deviceLink, deviceRef, dialectMessage, fateOf, sentTexts } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { SchemaCache } from './protobuf/schema-cache.ts';
import { ThingsboardSession } from './session.ts';

const tools = { reader: new ValueReader(), schemas: new SchemaCache(), now: () => 0 };
const open = (level: ProtocolLevel = 5) => new ThingsboardSession(tools, deviceRef(), deviceLink(level));

function askedSize(session: ThingsboardSession, payload: string, topicName = 'v2/fw/request/1/chunk/0'): number {
  const intent = session.publish(dialectMessage(topicName, payload)).intents[0];
  return intent?.kind === 'otaChunk' ? intent.size : -1;
}

describe('requests for chunks', () => {
  it('an empty payload and 0 ask for the whole file', () => {
    for (const payload of ['', '0', '000']) expect(askedSize(open(), payload)).toBe(0);
  });

  it('a size that was given for a request number holds for it until another is given', () => {
    const session = open();
    expect(askedSize(session, '4096')).toBe(4096);
    expect(askedSize(session, '', 'v2/fw/request/1/chunk/1')).toBe(4096);
    expect(askedSize(session, '0', 'v2/fw/request/1/chunk/2')).toBe(4096);
    expect(askedSize(session, '', 'v2/fw/request/2/chunk/0')).toBe(0);
    expect(askedSize(session, '', 'v2/sw/request/1/chunk/0')).toBe(0);
    expect(askedSize(session, '512')).toBe(512);
    expect(askedSize(session, '')).toBe(512);
  });

  it('remembers the sizes of a few request numbers, the latest ones', () => {
    const session = open();
    for (let id = 0; id < 40; id++) askedSize(session, '100', `v2/fw/request/${id}/chunk/0`);
    expect(askedSize(session, '', 'v2/fw/request/39/chunk/1')).toBe(100);
    expect(askedSize(session, '', 'v2/fw/request/0/chunk/1')).toBe(0);
  });

  it('software has topics of its own', () => {
    expect(open().publish(dialectMessage('v2/sw/request/12/chunk/34', '8')).intents).toEqual([
      { kind: 'otaChunk', type: 'SOFTWARE', requestId: '12', chunk: 34, size: 8, ref: 'v2/sw/response/12/chunk/34' },
    ]);
  });

  it('a size beyond the largest payload is left to be refused, and does not hold', () => {
    const session = open();
    expect(askedSize(session, '65537')).toBe(65_537);
    expect(askedSize(session, '')).toBe(0);
    expect(askedSize(session, '65536')).toBe(65_536);
  });

  it('a payload that is no number closes on every version', () => {
    for (const level of [3, 4, 5] as const) {
      for (const payload of ['x', '-1', '1.5', ' 1', '1e3', '{}', '9999999999']) {
        const disposition = open(level).publish(dialectMessage('v2/fw/request/1/chunk/0', payload));
        expect(fateOf(disposition), payload).toBe('closed 0x83');
      }
      const invalid = open(level).publish(dialectMessage('v2/fw/request/1/chunk/0', Uint8Array.of(0xff)));
      expect(fateOf(invalid)).toBe('closed 0x83');
    }
  });

  it('other topics of this kind are unknown', () => {
    for (const topic of [
      'v2/fw/request/x/chunk/0',
      'v2/fw/request/1/chunk/-1',
      'v2/hw/request/1/chunk/0',
      'v2/fw/error',
    ]) {
      expect(fateOf(open().publish(dialectMessage(topic, '1'))), topic).toBe('refused 0x90');
    }
  });
});

describe('answers to them', () => {
  const ref = 'v2/fw/response/1/chunk/0';

  it('TB-82 a chunk goes out with only a refused subscription, and with none at all', () => {
    const session = open();
    const reply = { kind: 'otaChunk', ref, payload: Uint8Array.of(1, 2) } as const;
    expect(session.reply(reply)).toEqual([{ topicName: ref, payload: Uint8Array.of(1, 2), qos: 1 }]);
    const options = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    expect(session.subscribe('v2/fw/response/+', options).reasonCode).toBe(0x8f);
    expect(session.reply(reply)[0]?.qos).toBe(1);
    session.subscribe('v2/fw/response/+/chunk/+', options);
    expect(session.reply(reply)[0]?.qos).toBe(0);
  });

  it('a whole file is passed on as it is, to be read while it is sent', () => {
    const payload = { length: 1_000_000, read: async () => new Uint8Array(0), close() {} };
    expect(open().reply({ kind: 'otaChunk', ref, payload })[0]?.payload).toBe(payload);
  });

  it('errors of both kinds go to v2/fw/error as plain text', () => {
    const said = (error: Extract<DeviceReply, { kind: 'otaError' }>['error'], to = ref) =>
      sentTexts(open().reply({ kind: 'otaError', ref: to, error }));
    expect(said('notFound')).toEqual([['v2/fw/error', 'NOT_FOUND', 1]]);
    expect(said('notFound', 'v2/sw/response/1/chunk/0')).toEqual([['v2/fw/error', 'NOT_FOUND', 1]]);
    expect(said('elsewhere')).toEqual([['v2/fw/error', 'FAILURE', 1]]);
    expect(said('failed')).toEqual([['v2/fw/error', 'FAILURE', 1]]);
    expect(said('tooLarge')).toEqual([['v2/fw/error', 'PAYLOAD_TOO_LARGE', 1]]);
  });
});
