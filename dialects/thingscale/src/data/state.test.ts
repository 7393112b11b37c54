import { describe, expect, it } from 'vitest';
import { account, Bench } from '../testing/bench.ts';

/** Settles what is not waiting for time to pass. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

async function scene() {
  const bench = new Bench([account({ timezone: 'Asia/Tokyo' })]);
  await bench.ingest('dev01', '1');
  const data = await bench.data();
  const settled: string[] = [];
  const put = (text: string) =>
    data.state('dev01', { health: text }, bench.now()).then((outcome) => settled.push(`${text} ${outcome}`));
  return { bench, data, settled, put };
}

describe('state of devices', () => {
  it('TS-18 is kept with the time of its last update and makes no point', async () => {
    const { bench, data } = await scene();
    expect(await data.state('dev01', { health: 'OK', load: 5.9, uptime: 250036 }, bench.now())).toBe('stored');
    const state = { health: 'OK', load: 5.9, uptime: 250036, last_update: '2026-01-05T10:00:03+0900' };
    expect(data.device('dev01')?.state).toEqual(state);
    expect(await bench.values(0)).toHaveLength(1);
    expect((await new Bench(bench.accountList, bench).data()).device('dev01')?.state).toEqual(state);
  });

  it('TS-18 needs a device that is there, enabled and mapped', async () => {
    const { bench, data } = await scene();
    expect(await data.state('none', {}, bench.now())).toBe('NO_MAPPED_CH');
    expect(bench.creations).toEqual(['dev01']);
    await data.updateDevice('dev01', { enabled: false });
    expect(await data.state('dev01', {}, bench.now())).toBe('DEVICE_DISABLED');
    await data.updateDevice('dev01', { enabled: true, mappedChannel: null });
    expect(await data.state('dev01', {}, bench.now())).toBe('NO_MAPPED_CH');
    expect(data.device('dev01')?.state).toBeNull();
  });

  it('is written once in ten seconds, the last one; the others are done as soon as they are replaced', async () => {
    const { bench, data, settled, put } = await scene();
    void put('a');
    await turns();
    void put('b');
    void put('c');
    await turns();
    expect(settled).toEqual(['a stored', 'b stored']);
    bench.time.advance(9_999);
    await turns();
    expect(data.device('dev01')?.state).toMatchObject({ health: 'a' });
    bench.time.advance(1);
    await turns();
    expect(settled).toEqual(['a stored', 'b stored', 'c stored']);
    expect(data.device('dev01')?.state).toMatchObject({ health: 'c' });
    bench.time.advance(10_000);
    await turns();
    expect(bench.time.timers).toBe(0);
  });

  it('that waits is written when the server stops', async () => {
    const { bench, data, settled, put } = await scene();
    void put('a');
    await turns();
    void put('b');
    await bench.accounts.close();
    expect(data.device('dev01')?.state).toMatchObject({ health: 'b' });
    expect(settled).toEqual(['a stored', 'b stored']);
    expect(bench.time.timers).toBe(0);
  });

  it('that the store does not take is told', async () => {
    const { bench, data } = await scene();
    bench.repositories.troubles.push('failed');
    expect(await data.state('dev01', {}, bench.now())).toBe('failed');
  });
});
