import { describe, expect, it } from 'vitest';
import { account, Bench } from '../testing/bench.ts';
import type { ThingscaleEvent } from './account-data.ts';

const RULE: Omit<ThingscaleEvent, 'eventId'> = {
  mappedChannel: 0,
  description: 'cold',
  notifyType: 'http',
  postUrl: 'https://example.com/hook',
  enabled: true,
  source: 'temp',
  operator: '<=',
  threshold: '8',
};

async function withRule(changes: Partial<typeof RULE> = {}, bench = new Bench([account({ timezone: 'Asia/Tokyo' })])) {
  const data = await bench.data();
  if (data.channel(0) === undefined) await bench.ingest('dev01', '{"temp":20}');
  const eventId = await data.createEvent({ ...RULE, ...changes });
  const temp = async (...values: readonly number[]) => {
    for (const value of values) {
      bench.time.advance(11_000);
      await bench.ingest('dev01', `{"temp":${value}}`);
    }
    return bench.webhooks.length;
  };
  return { bench, data, eventId, temp };
}

const bodyOf = ({ body }: { readonly body: Uint8Array }): unknown => JSON.parse(new TextDecoder().decode(body));

describe('event rules', () => {
  it('TS-44 fire on the change to matched alone', async () => {
    const { temp } = await withRule();
    expect(await temp(9)).toBe(0);
    expect(await temp(7)).toBe(1);
    expect(await temp(6)).toBe(1);
    expect(await temp(9)).toBe(1);
    expect(await temp(8)).toBe(2);
  });

  it('TS-45 look into lists', async () => {
    const { bench } = await withRule({ source: 'data:value', operator: '=', threshold: '10' });
    await bench.ingest('dev01', '{"data":[{"value":9}]}');
    expect(bench.webhooks).toHaveLength(0);
    await bench.ingest('dev01', '{"data":[{"value":9},{"value":10}]}');
    expect(bench.webhooks).toHaveLength(1);
  });

  it('TS-46 put down a webhook with the fields of the vendor before the message is acknowledged', async () => {
    const { bench, eventId } = await withRule();
    await bench.ingest('dev01', '{"temp":7.5}', 'node1');
    expect(bench.webhooks).toMatchObject([
      { kind: 'thingscale', url: 'https://example.com/hook', contentType: 'application/json' },
    ]);
    expect(bench.webhooks.map(bodyOf)).toEqual([
      {
        event_id: eventId,
        description: 'cold',
        channel: 0,
        channel_name: 'dev01',
        tag: 'node1',
        device_id: 'dev01',
        source: 'temp',
        operator: '<=',
        threshold: '8',
        value: 7.5,
        at: '2026-01-05T10:00:03+0900',
      },
    ]);
    expect(bench.accounts.webhooks.policy).toMatchObject({ timeoutMs: 10_000, retryDelaysMs: [1_000, 5_000, 30_000] });
  });

  it('fire at most once in ten seconds', async () => {
    const { bench } = await withRule();
    for (const value of [7, 9, 7, 9, 7]) {
      bench.time.advance(2_000);
      await bench.ingest('dev01', `{"temp":${value}}`);
    }
    expect(bench.webhooks).toHaveLength(1);
    bench.time.advance(2_000);
    for (const value of [9, 7]) await bench.ingest('dev01', `{"temp":${value}}`);
    expect(bench.webhooks).toHaveLength(2);
  });

  it('are asked about points that were written through the API too, in the order of the list', async () => {
    const { bench, data } = await withRule();
    const at = bench.now();
    await data.write(0, [
      { value: '{"temp":7}', at, tag: null },
      { value: '{"temp":9}', at, tag: null },
    ]);
    expect(bench.webhooks.map(bodyOf)).toMatchObject([{ value: 7, device_id: null }]);
  });

  it('that are switched off, or watch another channel, do not fire', async () => {
    const { data, eventId, temp } = await withRule({ enabled: false });
    expect(await temp(9, 7)).toBe(0);
    await data.createChannel(1, null);
    await data.updateEvent(Number(eventId), { enabled: true, mappedChannel: 1 });
    expect(await temp(9, 7)).toBe(0);
    await data.updateEvent(Number(eventId), { mappedChannel: 0 });
    // A rule that asks something else starts as not matched.
    expect(await temp(7)).toBe(1);
  });

  it('know after a restart that they have fired, and what was suppressed or not told fires then', async () => {
    const { bench, temp } = await withRule();
    expect(await temp(7)).toBe(1);
    const after = new Bench(bench.accountList, bench);
    await after.ingest('dev01', '{"temp":6}');
    expect(after.webhooks).toHaveLength(0);
    await after.ingest('dev01', '{"temp":9}');
    const later = new Bench(bench.accountList, after);
    await later.ingest('dev01', '{"temp":6}');
    expect(later.webhooks).toHaveLength(1);
  });

  it('hold back the acknowledgement of a message whose webhook is not put down, and fire at its repetition', async () => {
    const { bench } = await withRule();
    bench.webhookOutcomes.push('full');
    expect(await bench.ingest('dev01', '{"temp":7}')).toBe('full');
    expect(await bench.ingest('dev01', '{"temp":7}')).toBe('stored');
    expect(bench.webhooks).toHaveLength(1);
  });

  it('by e-mail are counted as not sent', async () => {
    const { bench, eventId, temp } = await withRule({ notifyType: 'email' });
    expect(await temp(9, 7)).toBe(0);
    expect(bench.unsent).toEqual([eventId]);
  });

  it('are made, changed and deleted; a deleted one takes its queue along', async () => {
    const { bench, data, eventId } = await withRule();
    expect(eventId).toBe(1);
    expect(await data.createEvent({ ...RULE, mappedChannel: 4 })).toBe('NO_CHANNEL');
    expect(await data.createEvent({ ...RULE, mappedChannel: null })).toBe(2);
    expect(await data.updateEvent(2, { mappedChannel: 4 })).toBe('NO_CHANNEL');
    expect(await data.updateEvent(2, { description: 'new' })).toBe('done');
    expect(await data.updateEvent(3, {})).toBe('NO_EVENT');
    expect(data.event(2)).toEqual({ ...RULE, eventId: 2, mappedChannel: null, description: 'new' });
    await bench.ingest('dev01', '{"temp":7}');
    expect(await data.deleteEvent(1)).toBe('done');
    expect(await data.deleteEvent(1)).toBe('NO_EVENT');
    expect(bench.removedTargets).toEqual([bench.webhooks[0]?.targetId]);
    expect(data.events().map((event) => event.eventId)).toEqual([2]);
    expect(await data.createEvent(RULE)).toBe(3);
  });

  it('that were switched off do not send what waits', async () => {
    const { bench, data, eventId, temp } = await withRule();
    await temp(7);
    const [message] = bench.webhooks;
    if (message === undefined) throw new TypeError('nothing was put down');
    const { webhooks } = bench.accounts;
    expect(webhooks.sign(message, 0)).toEqual({ headers: {} });
    await data.updateEvent(Number(eventId), { enabled: false });
    expect(webhooks.sign(message, 0)).toBeNull();
  });
});
