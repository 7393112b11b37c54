import fc from 'fast-check';
import { expect, it } from 'vitest';
import { API_TOKEN, DEVICE_TOKEN, RestBench } from './testing/rest-bench.ts';

const NAMES = [
  'payload',
  'qos',
  'device_id',
  'value',
  'at',
  'tag',
  'mapped_ch',
  'enabled',
  'channel_name',
  'source',
  'operator',
  'threshold',
  'post_url',
  'timezone',
  'email',
  '__proto__',
];

const text = fc.oneof(fc.string(), fc.constantFrom('last', '2026-01-05', 'true', 'avg', 'desc', '1', '<=', 'UTC'));
const value = fc.oneof(text, fc.jsonValue({ maxDepth: 3 }), fc.integer());
const object = fc.dictionary(fc.constantFrom(...NAMES), value);
const body = fc.oneof(
  fc.oneof(object, fc.array(object, { maxLength: 3 })).map((json) => new TextEncoder().encode(JSON.stringify(json))),
  fc.uint8Array({ maxLength: 100 }),
);
const headers = fc.dictionary(
  fc.constantFrom('x-endtime', 'x-starttime', 'x-tagname', 'x-pagelimit', 'x-aggregate', 'x-withtag', 'x-deviceid'),
  text,
);

it('hostile requests are answered on every path, never with a fault of ours', async () => {
  const bench = new RestBench();
  await bench.account.createDevice('1');
  const tokens = { 'X-APITOKEN': API_TOKEN, 'X-DEVICETOKEN': DEVICE_TOKEN };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...bench.routes),
      fc.constantFrom('0', '1', 'x', '__proto__', '%00', '%F0%9F%92%A9'),
      headers,
      body,
      async ({ method, path }, id, more, bytes) => {
        bench.time.advance(1000);
        const answer = await bench.send(method, path.replace(':id', id), { ...more, ...tokens }, bytes);
        expect(answer.status).toBeLessThan(500);
        if (answer.contentType === 'application/json') expect(answer.body).toBeDefined();
      },
    ),
    { numRuns: 1500 },
  );
});
