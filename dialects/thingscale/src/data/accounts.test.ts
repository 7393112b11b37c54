import { describe, expect, it } from 'vitest';
import { ACCOUNT, account, Bench, TENANT } from '../testing/bench.ts';
import { THINGSCALE_CHANNELS, THINGSCALE_DEVICES, THINGSCALE_EVENTS } from './collections.ts';

const OTHER = '5a8a8d3e-0000-4000-8000-00000000000b';
const RULE = {
  mappedChannel: null,
  description: '',
  notifyType: 'http',
  postUrl: 'http://example.com',
  enabled: true,
  source: 'a',
  operator: '=',
  threshold: '1',
} as const;

async function counts(bench: Bench): Promise<readonly number[]> {
  const all = {
    tenantId: null,
    conditions: [],
    textSearch: null,
    sort: 'id',
    descending: false,
    offset: 0,
    limit: 100,
  };
  const found = [THINGSCALE_DEVICES, THINGSCALE_CHANNELS, THINGSCALE_EVENTS].map((collection) =>
    bench.repositories.documents(collection, all),
  );
  return (await Promise.all(found)).map(({ total }) => total);
}

async function filled() {
  const bench = new Bench([account(), account({}, { deviceToken: 'other' }, { id: OTHER, username: 'U000124' })]);
  await bench.ingest('dev01', '1');
  await (await bench.data()).createEvent(RULE);
  const other = await bench.data(OTHER);
  await other.createDevice('dev01');
  return { bench, other };
}

describe('accounts', () => {
  it('keep their devices and channels apart', async () => {
    const { bench, other } = await filled();
    expect(other.device('dev01')?.entityId).not.toBe((await bench.data()).device('dev01')?.entityId);
    expect(await bench.values(0)).toEqual(['{"value1":1}']);
    expect(await other.points({ channel: 0, tag: undefined, from: 0, to: 8e15, limit: 9, latest: false })).toEqual([]);
  });

  it('load once, whoever asks', async () => {
    const bench = new Bench();
    const [one, two] = await Promise.all([bench.data(), bench.data()]);
    expect(one).toBe(two);
    expect(await bench.data()).toBe(one);
    expect(bench.accounts.loaded(ACCOUNT)).toBe(one);
    expect(bench.accounts.loaded(OTHER)).toBeUndefined();
  });

  it('forget a device that the registry has deleted, loaded or not', async () => {
    const { bench } = await filled();
    const { entityId = '' } = (await bench.data()).device('dev01') ?? {};
    await bench.removeDevice(TENANT, entityId);
    await bench.accounts.forget(entityId);
    expect(await counts(bench)).toEqual([1, 2, 1]);
    const restarted = new Bench(bench.accountList, bench);
    const id = restarted.devices[OTHER]?.dev01?.id ?? '';
    await restarted.accounts.forget(id);
    await restarted.accounts.forget('5a8a8d3e-0000-4000-8000-00000000ffff');
    expect(await counts(bench)).toEqual([0, 2, 1]);
  });

  it('drop what they kept of a device that was deleted while nobody could be told', async () => {
    const { bench } = await filled();
    bench.devices[ACCOUNT] = {};
    const restarted = new Bench(bench.accountList, bench);
    expect((await restarted.data()).devices()).toEqual([]);
    expect(await counts(bench)).toEqual([1, 2, 1]);
  });

  it('TS-37 delete a device through the registry, and its points stay', async () => {
    const bench = new Bench();
    await bench.ingest('dev01', '1');
    const data = await bench.data();
    expect(await data.createDevice('dev01')).toBe('DEVICE_INUSE');
    expect(await data.deleteDevice('dev01')).toBe('done');
    expect(await data.deleteDevice('dev01')).toBe('NO_DEVICE');
    expect(data.device('dev01')).toBeUndefined();
    expect(await bench.values(0)).toEqual(['{"value1":1}']);
    expect(await counts(bench)).toEqual([0, 1, 0]);
    expect(await data.createDevice('dev01')).toBe('done');
    expect(data.device('dev01')?.mappedChannel).toBe(1);
  });

  it('go with their application: records, points, and the queues of their rules', async () => {
    const { bench } = await filled();
    await bench.accounts.forgetApplication(ACCOUNT);
    expect(await counts(bench)).toEqual([1, 1, 0]);
    expect(bench.removedTargets).toHaveLength(1);
    expect(bench.accounts.loaded(ACCOUNT)).toBeUndefined();
    await bench.accounts.removeOf(TENANT);
    expect(await counts(bench)).toEqual([0, 0, 0]);
  });

  it('finish the removal of an application that was interrupted', async () => {
    const { bench } = await filled();
    const restarted = new Bench(bench.accountList.slice(1), bench);
    await restarted.accounts.finishRemovals();
    expect(await counts(bench)).toEqual([1, 1, 0]);
  });

  it('read their settings anew from the application', async () => {
    const bench = new Bench();
    const data = await bench.data();
    expect(data.settings).toEqual({ timezone: 'UTC', autoMap: true, maxDevices: 10_000, email: '' });
    bench.save(account({ timezone: 'Asia/Tokyo', autoMap: false, maxDevices: 5, email: 'a@b.c' }));
    expect(data.settings).toEqual({ timezone: 'Asia/Tokyo', autoMap: false, maxDevices: 5, email: 'a@b.c' });
  });

  it('list the last 200 refused messages, the newest first', async () => {
    const bench = new Bench();
    const message = { clientId: 'c', topicName: 't', code: 'TOKEN_MISMATCH' } as const;
    for (let at = 0; at < 250; at++) bench.accounts.refuse(ACCOUNT, { at, ...message });
    const refused = (await bench.data()).refused();
    expect(refused).toHaveLength(200);
    expect(refused[0]?.at).toBe(249);
    (await bench.data()).refuse({ at: 999, ...message });
    expect((await bench.data()).refused()[0]?.at).toBe(999);
  });
});

describe('work in order', () => {
  it('follows what the same connection asked before, and what fails does not stop it', async () => {
    const bench = new Bench();
    const key = {};
    const log: string[] = [];
    let open: (value: unknown) => void = () => {};
    const gate = new Promise((resolve) => {
      open = resolve;
    });
    const completion = (name: string) => ({
      hold: () => void log.push(`hold ${name}`),
      release: (outcome: string) => void log.push(`${name} ${outcome}`),
    });
    bench.accounts.inOrder(key, completion('a'), async () => {
      await gate;
      throw new TypeError('broken');
    });
    bench.accounts.inOrder(key, completion('b'), async () => 'stored');
    bench.accounts.inOrder({}, completion('c'), async () => 'full');
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    expect(log).toEqual(['hold a', 'hold b', 'hold c', 'c full']);
    open(null);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    expect(log.slice(4)).toEqual(['a failed', 'b stored']);
    expect(bench.reports).toHaveLength(1);
  });
});
