import { beforeEach, describe, expect, it } from 'vitest';
import { API_TOKEN, RestBench } from './testing/rest-bench.ts';

let bench: RestBench;
beforeEach(async () => {
  bench = new RestBench();
  await bench.account.createDevice('dev01');
});

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };
const publish = (body: object | string, path = 'publish/dev01') => bench.call('POST', path, body, FORM);
const said = ({ status, text }: { status: number; text: string }) => [status, text];

describe('the publish service', () => {
  it('TS-33 takes the form content type of curl -d and sends the text of the payload exactly', async () => {
    expect(said(await publish('{"payload":"door=open"}'))).toEqual([200, '{"result":"OK","receivers":1}']);
    await publish({ payload: ' é"\n\u0000' });
    await publish({ payload: '' });
    expect(bench.sent).toEqual([
      { name: 'dev01', payload: 'door=open', qos: 0 },
      { name: 'dev01', payload: ' é"\n\u0000', qos: 0 },
      { name: 'dev01', payload: '', qos: 0 },
    ]);
  });

  it('TS-33 sends what is no text as compact JSON', async () => {
    for (const payload of ['{ "z" : 1.0, "1" : [ 2 ] }', '[1, 2]', '23.50', 'true']) {
      expect((await publish(`{"payload": ${payload}}`)).status).toBe(200);
    }
    expect(bench.sent.map(({ payload }) => payload)).toEqual(['{"z":1.0,"1":[2]}', '[1,2]', '23.50', 'true']);
  });

  it('TS-34 sends with QoS 1 or 0, which is the default; 2 gives 400', async () => {
    for (const qos of [0, 1, undefined]) await publish({ payload: 'x', qos });
    expect(bench.sent.map(({ qos }) => qos)).toEqual([0, 1, 0]);
    for (const qos of [2, -1, '1', null, true]) {
      expect(said(await publish({ payload: 'x', qos })), String(qos)).toEqual([400, '{"error":"BAD_JSON_FORMAT"}']);
    }
    expect(bench.sent).toHaveLength(3);
  });

  it('TS-35 gives 404 for an unknown device and sends nothing', async () => {
    for (const path of ['publish/dev02', 'publish/unknown', 'publish/__proto__']) {
      expect(said(await publish({ payload: 'x' }, path)), path).toEqual([404, '{"error":"NO_DEVICE"}']);
    }
    expect(bench.sent).toEqual([]);
  });

  it('TS-35 does the same under /v1, and with the device in the body', async () => {
    const answers = [];
    for (const [path, body] of [
      ['/v1/publish/dev01', '{"payload":"a"}'],
      ['/v1/publish/dev01/', '{"payload":"b"}'],
      ['/v1/publish', '{"device_id":"dev01","payload":"c"}'],
      ['/v2/publish/', '{"device_id":"dev01","payload":"d"}'],
      ['/v1/publish/unknown', '{"payload":"e"}'],
      ['/v1/publish', '{"payload":"f"}'],
      ['/v1/publish/dev01', '{"payload":"g","qos":2}'],
    ] as const) {
      answers.push((await bench.send('POST', path, { 'X-APITOKEN': API_TOKEN }, body)).status);
    }
    expect(answers).toEqual([200, 200, 200, 200, 404, 400, 400]);
    expect(bench.sent.map(({ payload }) => payload)).toEqual(['a', 'b', 'c', 'd']);
  });

  it.each(['', 'x', '[]', '"x"', '{}', '{"payload":null}', '{"payload":"x"', `{"payload":"${'x'.repeat(65_537)}"}`])(
    'TS-34 gives 400 for %.30s',
    async (body) => {
      expect(said(await publish(body))).toEqual([400, '{"error":"BAD_JSON_FORMAT"}']);
      expect(bench.sent).toEqual([]);
    },
  );

  it('takes 64 KiB', async () => {
    expect((await publish({ payload: '\u0001'.repeat(65_536) })).status).toBe(200);
    expect(bench.find('POST', '/v2/publish/dev01').route.bodyLimit).toBeGreaterThan(6 * 65_536);
  });

  it('gives 403 for a device that is disabled', async () => {
    await bench.account.updateDevice('dev01', { enabled: false });
    expect(said(await publish({ payload: 'x' }))).toEqual([403, '{"error":"DEVICE_DISABLED"}']);
    expect(bench.sent).toEqual([]);
  });

  it.each([
    ['full', 503],
    ['failed', 500],
  ] as const)('does not say that it was sent when the store is %s', async (sending, status) => {
    bench.sending = sending;
    expect((await publish({ payload: 'x' })).status).toBe(status);
  });
});
