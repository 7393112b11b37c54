import { ValueReader } from '@moorage/core';
import { dialectMessage } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { blockContext, blockError, blockRequest } from './file-blocks.ts';
import { JsonTexts } from './json-text.ts';
import { DEVICE_NAME, PRODUCT_KEY, SYSTEM } from './testing/lamp.ts';
import { DeviceTopics } from './topics.ts';

const decoder = new TextDecoder();
const texts = new JsonTexts(new ValueReader(), { text: (bytes) => decoder.decode(bytes) });
const topics = new DeviceTopics({ productKey: PRODUCT_KEY, deviceName: DEVICE_NAME });

function ask(payload: string) {
  const suffix = 'thing/file/download';
  const message = dialectMessage(SYSTEM + suffix, payload);
  return blockRequest({ texts, topics, suffix, message, isGateway: false });
}

const request = (size: unknown, offset: unknown, token = '"default"') =>
  `{"id":"7","params":{"fileToken":${token},"fileInfo":{"streamId":9,"fileId":1,},"fileBlock":{"size":${size},"offset":${offset}}}}`;

describe('a request for a block', () => {
  it('ALI-79 is understood with a comma before a brace, but not within a text', () => {
    const [intent] = ask(request(5120, 10_240, '"a,}b"')).intents;
    if (intent?.kind !== 'otaChunk') throw new TypeError('no block was asked for');
    expect(intent).toMatchObject({ type: 'FIRMWARE', requestId: '9', size: 5120, offset: 10_240 });
    expect(intent.ref).toContain('10240 "a,}b"');
  });

  it.each([
    ['no bytes', request(0, 0)],
    ['a negative offset', request(1, -1)],
    ['no numbers', request('"x"', 0)],
    ['no JSON', 'block please'],
    ['a text without an end', `{"id":"${'\\"'.repeat(100_000)}`],
    ['no stream', '{"id":"1","params":{"fileBlock":{"size":1,"offset":0}}}'],
  ])('with %s is refused', (_what, payload) => {
    const { intents, refuse } = ask(payload);
    expect([intents, refuse?.reasonCode]).toEqual([[], 0x99]);
  });

  it('that cannot be served is answered by a header without data', () => {
    const bytes = blockError(blockContext('"7"', '0 "default"'), 404, 'file not found');
    const length = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
    expect(JSON.parse(decoder.decode(bytes.subarray(2, 2 + length)))).toEqual({
      id: '7',
      code: 404,
      msg: 'file not found',
      data: {},
    });
    expect([...bytes.subarray(2 + length)]).toEqual([0, 0]);
  });
});
