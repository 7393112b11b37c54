import { describe, expect, it } from 'vitest';
import { account, Bench } from '../testing/bench.ts';

const EVERYTHING = { from: -8.64e15, to: 8.64e15, limit: 10_000, latest: false };

describe('channels', () => {
  it('TS-39 are made once, with a tag if asked, and renamed', async () => {
    const bench = new Bench();
    const data = await bench.data();
    expect(await data.createChannel(7, null)).toBe('done');
    expect(await data.createChannel(7, null)).toBe('CHANNEL_INUSE');
    expect(await data.createChannel(7, 'node1')).toBe('done');
    expect(await data.createChannel(7, 'node1')).toBe('CHANNEL_INUSE');
    expect(await data.createChannel(3, 'node2')).toBe('done');
    for (const number of [-1, 10_000, 1.5, Number.NaN])
      expect(await data.createChannel(number, null)).toBe('NO_CHANNEL');
    expect(await data.createChannel(7, 'a/b')).toBe('NO_CHANNEL');
    expect(await data.renameChannel(7, 'sensor_1')).toBe('done');
    expect(await data.renameChannel(8, 'x')).toBe('NO_CHANNEL');
    expect(data.channels()).toEqual([
      { number: 3, name: 'channel_3', tags: ['node2'], lastUpdate: null },
      { number: 7, name: 'sensor_1', tags: ['node1'], lastUpdate: null },
    ]);
  });

  it('TS-39 a deleted channel takes its points and mappings along; its number is free again', async () => {
    const bench = new Bench();
    await bench.ingest('dev01', '1');
    await bench.ingest('dev02', '2');
    const data = await bench.data();
    await data.updateDevice('dev02', { mappedChannel: 0 });
    const removed: string[] = [];
    const { removeOwner } = bench.telemetry;
    bench.telemetry.removeOwner = (owner) => {
      removed.push(owner);
      return removeOwner.call(bench.telemetry, owner);
    };
    expect(await data.deleteChannel(0, null)).toBe('done');
    expect(await data.deleteChannel(0, null)).toBe('NO_CHANNEL');
    expect(data.devices().map(({ mappedChannel }) => mappedChannel)).toEqual([null, null]);
    expect(await bench.ingest('dev01', '3')).toBe('NO_MAPPED_CH');
    expect(await data.createChannel(0, null)).toBe('done');
    expect(await bench.values(0)).toEqual([]);
    expect(data.channel(0)?.lastUpdate).toBeNull();
    expect(removed).toHaveLength(1);
    expect([...bench.telemetry.seriesOf(removed[0] ?? '')]).toEqual([]);
  });

  it('a removal that the store interrupts is finished at the next start', async () => {
    const bench = new Bench();
    await bench.ingest('dev01', '1');
    const data = await bench.data();
    const { removeOwner } = bench.telemetry;
    bench.telemetry.removeOwner = async () => 'failed';
    expect(await data.deleteChannel(0, null)).toBe('failed');
    expect(data.channels()).toEqual([]);
    let removed = 0;
    bench.telemetry.removeOwner = (owner) => {
      removed++;
      return removeOwner.call(bench.telemetry, owner);
    };
    await new Bench([account()], bench).data();
    expect(removed).toBe(1);
    await new Bench([account()], bench).data();
    expect(removed).toBe(1);
  });

  it('TS-39 deleting a tag erases its points alone, and data with it make it anew', async () => {
    const bench = new Bench();
    await bench.ingest('dev01', '1', 'node1');
    bench.time.advance(1000);
    await bench.ingest('dev01', '2', 'node2');
    await bench.ingest('dev01', '3', 'node1');
    const data = await bench.data();
    expect(await data.deleteChannel(0, 'node1')).toBe('done');
    expect(await data.deleteChannel(0, 'node1')).toBe('NO_CHANNEL');
    expect(await bench.values(0)).toEqual(['{"value1":2}']);
    expect(data.channel(0)).toMatchObject({ tags: ['node2'], lastUpdate: bench.now() });
    // Series of a tag that was deleted are not taken for the tag after a restart either.
    const again = new Bench([account()], bench);
    expect((await again.data()).channel(0)?.tags).toEqual(['node2']);
    expect(await again.ingest('dev01', '4', 'node1')).toBe('stored');
    expect((await again.data()).channel(0)?.tags).toEqual(['node2', 'node1']);
    expect(await again.values(0, 'node1')).toEqual(['{"value1":4}']);
  });

  it('a mapping needs a channel that is there', async () => {
    const bench = new Bench();
    await bench.ingest('dev01', '1');
    const data = await bench.data();
    expect(await data.updateDevice('dev01', { mappedChannel: 5 })).toBe('NO_CHANNEL');
    expect(await data.updateDevice('none', { mappedChannel: 0 })).toBe('NO_DEVICE');
    await data.createChannel(5, null);
    expect(await data.updateDevice('dev01', { mappedChannel: 5, description: 'x', location: 'y' })).toBe('done');
    await bench.ingest('dev01', '2');
    expect(await bench.values(5)).toEqual(['{"value1":2}']);
    expect(data.device('dev01')).toMatchObject({ description: 'x', location: 'y', manufacturer: '' });
  });
});

describe('points', () => {
  it('TS-40 the newest ones of all series come ascending, whatever series they stand in', async () => {
    const bench = new Bench();
    const data = await bench.data();
    await bench.ingest('dev0', '0');
    for (let index = 1; index < 12; index++) {
      bench.time.advance(1000);
      await bench.ingest(`dev${index % 4}`, String(index), index % 3 === 0 ? 'third' : null);
      await data.updateDevice(`dev${index % 4}`, { mappedChannel: 0 });
    }
    bench.time.advance(1000);
    for (let index = 12; index < 20; index++) {
      bench.time.advance(1000);
      await bench.ingest(`dev${index % 4}`, String(index), index % 3 === 0 ? 'third' : null);
    }
    const newest = async (limit: number, tag?: string | null) =>
      (await data.points({ channel: 0, tag, ...EVERYTHING, limit, latest: true })).map(({ value }) => value);
    expect(await newest(1)).toEqual(['{"value1":19}']);
    expect(await newest(3)).toEqual(['{"value1":17}', '{"value1":18}', '{"value1":19}']);
    expect(await newest(2, 'third')).toEqual(['{"value1":15}', '{"value1":18}']);
    expect(await newest(1, null)).toEqual(['{"value1":19}']);
    expect(await newest(1, 'none')).toEqual([]);
    expect(await data.points({ channel: 99, tag: undefined, ...EVERYTHING })).toEqual([]);
  });

  it('TS-41 a range has both its ends, and gives the first ones where there are more than asked for', async () => {
    const bench = new Bench();
    const start = bench.now();
    for (const value of ['1', '2', '3']) {
      await bench.ingest('dev01', value);
      bench.time.advance(1000);
    }
    const data = await bench.data();
    const range = { channel: 0, tag: undefined, latest: false };
    const between = await data.points({ ...range, from: start, to: start + 1000, limit: 10 });
    expect(between).toMatchObject([
      { value: '{"value1":1}', at: start, tag: null, deviceId: 'dev01' },
      { value: '{"value1":2}', at: start + 1000 },
    ]);
    const first = await data.points({ ...range, from: start, to: start + 9000, limit: 2 });
    expect(first.map(({ value }) => value)).toEqual(['{"value1":1}', '{"value1":2}']);
  });

  it('are written with times of their own, and none replaces another', async () => {
    const bench = new Bench();
    const data = await bench.data();
    await data.createChannel(0, null);
    const point = (value: string, at: number, tag: string | null = null) => ({ value, at, tag });
    expect(await data.write(0, [point('{"a":1}', 5000), point('{"a":2}', 5000), point('{"a":3}', 1000, 't')])).toBe(
      'done',
    );
    expect(await data.write(0, [point('{"a":4}', 5000), point('{"a":5}', 4999)])).toBe('done');
    expect(await data.write(9, [point('{}', 1)])).toBe('NO_CHANNEL');
    const all = await data.points({ channel: 0, tag: undefined, ...EVERYTHING });
    expect(all.map(({ value, at, tag, deviceId }) => [value, at, tag, deviceId])).toEqual([
      ['{"a":3}', 1000, 't', null],
      ['{"a":5}', 4999, null, null],
      ['{"a":1}', 5000, null, null],
      ['{"a":2}', 5001, null, null],
      ['{"a":4}', 5002, null, null],
    ]);
    expect(data.channel(0)).toMatchObject({ tags: ['t'], lastUpdate: 5002 });
  });
});
