import { beforeEach, describe, expect, it } from 'vitest';
import { RestBench } from './testing/rest-bench.ts';

let bench: RestBench;
beforeEach(async () => {
  bench = new RestBench();
  await bench.account.createChannel(0, null);
});

const RULE = { source: 'temp', operator: '<=', threshold: '8' };
const SHOWN = {
  event_id: 1,
  mapped_ch: 0,
  description: 'cold',
  notify_type: 'http',
  post_url: 'https://example.com/hook?a=b',
  enabled: true,
  source: 'temp',
  operator: '<=',
  threshold: '8',
};

describe('events', () => {
  it('are made, shown, changed and deleted, with all their fields', async () => {
    expect((await bench.get('event')).text).toBe('[]');
    const made = await bench.call('POST', 'event', SHOWN);
    expect([made.status, made.text]).toEqual([201, '{"event_id":1}']);
    for (const path of ['event', 'event/', 'event/1']) expect((await bench.get(path)).body, path).toEqual([SHOWN]);
    const changed = await bench.call('PUT', 'event/1', { enabled: false, threshold: 7.5, event_id: 9, more: 1 });
    expect([changed.status, changed.text]).toEqual([200, '{"event_id":1}']);
    expect((await bench.get('event/1')).body).toEqual([{ ...SHOWN, enabled: false, threshold: '7.5' }]);
    expect(await bench.call('DELETE', 'event/1')).toMatchObject({ status: 200, text: '{"event_id":1}' });
    for (const [method, id] of [
      ['GET', '1'],
      ['PUT', '1'],
      ['DELETE', '1'],
      ['GET', 'x'],
      ['DELETE', '-1'],
    ] as const) {
      const answer = await bench.call(method, `event/${id}`, '{}');
      expect([answer.status, answer.text], `${method} ${id}`).toEqual([404, '{"error":"NO_EVENT"}']);
    }
  });

  it('have values where none are given: by e-mail unless there is an address to post to', async () => {
    await bench.call('POST', 'event', RULE);
    expect((await bench.get('event/1')).body).toEqual([
      { ...SHOWN, mapped_ch: null, description: '', notify_type: 'email', post_url: '' },
    ]);
    await bench.call('POST', 'event', { ...RULE, post_url: 'http://example.com' });
    expect((await bench.get('event/2')).body[0].notify_type).toBe('http');
  });

  it('watch a channel that there is', async () => {
    const answer = await bench.call('POST', 'event', { ...RULE, mapped_ch: 1 });
    expect([answer.status, answer.text]).toEqual([404, '{"error":"NO_CHANNEL"}']);
  });

  it.each([
    '',
    '[]',
    '{}',
    { source: 'temp', operator: '<=' },
    { operator: '<=', threshold: '8' },
    { ...RULE, source: '' },
    { ...RULE, source: 'x'.repeat(257) },
    { ...RULE, operator: '==' },
    { ...RULE, threshold: null },
    { ...RULE, threshold: [8] },
    { ...RULE, notify_type: 'sms' },
    { ...RULE, notify_type: 'http' },
    { ...RULE, post_url: 'ftp://example.com' },
    { ...RULE, post_url: 'https:///x' },
    { ...RULE, post_url: 'https://a b' },
    { ...RULE, post_url: `https://${'x'.repeat(2048)}` },
    { ...RULE, enabled: 'yes' },
    { ...RULE, mapped_ch: 'all' },
  ])('are not made of %j', async (body) => {
    const answer = await bench.call('POST', 'event', body);
    expect([answer.status, answer.text]).toEqual([400, '{"error":"BAD_JSON_FORMAT"}']);
    expect(bench.account.events()).toEqual([]);
  });

  it('stay what can be evaluated and told', async () => {
    await bench.call('POST', 'event', RULE);
    for (const changes of [{ notify_type: 'http' }, { source: '' }, { post_url: 'x' }, 'x']) {
      expect((await bench.call('PUT', 'event/1', changes)).status).toBe(400);
    }
    expect((await bench.call('PUT', 'event/1', { notify_type: 'http', post_url: 'http://[::1]/' })).status).toBe(200);
  });

  it('are 1,000 in one account', async () => {
    for (let count = 0; count < 999; count++) await bench.account.createEvent({ ...fields() });
    expect((await bench.call('POST', 'event', RULE)).status).toBe(201);
    const answer = await bench.call('POST', 'event', RULE);
    expect([answer.status, answer.text]).toEqual([403, '{"error":"MAX_EVENT_REACH"}']);
  });
});

function fields() {
  return {
    mappedChannel: null,
    description: '',
    notifyType: 'email',
    postUrl: '',
    enabled: true,
    source: 'a',
    operator: '=',
    threshold: '1',
  } as const;
}
